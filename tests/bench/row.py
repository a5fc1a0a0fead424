"""What a benchmark tells: one number of ours against one of another program, or against a figure that is to be kept."""

from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    name: str
    ours: str           # what was measured
    theirs: str         # against what
    ratio: float        # ours / theirs
    at_most: float | None = None    # the bound, one of the two; neither: told, not judged
    at_least: float | None = None
    digits: int = 2
    raw: dict = field(default_factory=dict)  # what was measured, in units that the keys name

    @property
    def is_judged(self):
        return self.at_most is not None or self.at_least is not None

    @property
    def met(self):
        if not self.is_judged:
            return True
        return self.ratio <= self.at_most if self.at_most is not None else self.ratio >= self.at_least

    @property
    def bound(self):
        if not self.is_judged:
            return "none"
        word, value = ("at most", self.at_most) if self.at_most is not None else ("at least", self.at_least)
        return f"{word} {value:g}"

    @property
    def verdict(self):
        return "told" if not self.is_judged else "met" if self.met else "NOT MET"

    def as_json(self):
        return {**asdict(self), "met": self.met}


@dataclass
class Table:
    """What is told beside the rows, and judged by none."""
    title: str
    head: tuple
    lines: list

    def as_json(self):
        return {"title": self.title, "lines": [dict(zip(self.head, line)) for line in self.lines]}

    def __str__(self):
        return f"{self.title}\n\n{markdown(self.head, self.lines)}"


def table(rows):
    return markdown(("name", "ours", "theirs", "ratio", "bound", "verdict"),
                    [(row.name, row.ours, row.theirs, f"{row.ratio:.{row.digits}f}", row.bound, row.verdict) for row in rows])


def markdown(head, lines):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in [head, *lines]]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)
