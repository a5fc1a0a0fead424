"""What a failing scenario leaves behind for whoever looks into it."""

import json
import os
import shutil


def preserve(lab, result, folder):
    """Copies the capture, the last report, the timeline and all logs into folder/NAME, and returns that."""
    target = os.path.join(folder, result.name)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    for source, name in (("wan.pcap", "wan.pcap"), ("agent.log", "agent.log"), ("tunnelwatch.yaml", "tunnelwatch.yaml"),
                         ("a/charon.log", "charon-a.log"), ("b/charon.log", "charon-b.log")):
        path = os.path.join(lab.folder, source)
        if os.path.exists(path):
            shutil.copy(path, os.path.join(target, name))
    recordings = os.path.join(lab.folder, "recordings")
    if os.path.isdir(recordings):
        shutil.copytree(recordings, os.path.join(target, "recordings"))
    with open(os.path.join(target, "problems.txt"), "w") as file:
        file.writelines(problem + "\n" for problem in result.problems)
    if lab.watch:
        with open(os.path.join(target, "timeline.txt"), "w") as file:
            file.writelines(f"{sight.time:.3f} {sight}\n" for sight in lab.watch.changes())
        last = lab.watch.last()
        with open(os.path.join(target, "report.json"), "w") as file:
            json.dump(lab.agent.report() or (last.report if last else None), file, indent=2, ensure_ascii=False)
    return target
