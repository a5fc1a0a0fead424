"""What a scrape says: sums and histograms over all series of a name."""

import re

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$")
_LE = re.compile(r'[{,]le="([^"]+)"')


class Metrics:
    def __init__(self, text):
        self._series = {}  # name -> its labels and values
        self._sums = {}
        self._buckets = {}
        for line in text.splitlines():
            found = _LINE.match(line)
            if not found:
                continue
            name, labels, value = found[1], found[2] or "", float(found[3])
            self._series.setdefault(name, []).append((labels, value))
            self._sums[name] = self._sums.get(name, 0) + value
            if name.endswith("_bucket") and (bound := _LE.search(labels)):
                buckets = self._buckets.setdefault(name.removesuffix("_bucket"), {})
                buckets[float(bound[1])] = buckets.get(float(bound[1]), 0) + value

    def sum(self, name):
        return self._sums.get(name, 0)

    def by(self, label, name):
        """The values of the series of a name, by one of its labels."""
        pattern = re.compile(rf'[{{,]{label}="([^"]*)"')
        return {found[1]: value for labels, value in self._series.get(name, []) if (found := pattern.search(labels))}

    def histogram(self, name):
        return Histogram(self._buckets.get(name, {}))


class Histogram:
    """Cumulative counts by upper bound."""

    def __init__(self, cumulative):
        self._cumulative = dict(sorted(cumulative.items()))

    def __sub__(self, earlier):
        return Histogram({bound: count - earlier._cumulative.get(bound, 0) for bound, count in self._cumulative.items()})

    @property
    def count(self):
        return max(self._cumulative.values(), default=0)

    def quantile(self, part):
        """Interpolated within its bucket, as Prometheus does."""
        lower, below = 0.0, 0
        for bound, count in self._cumulative.items():
            if count >= part * self.count and count > below:
                if bound == float("inf"):
                    return lower
                return lower + (bound - lower) * (part * self.count - below) / (count - below)
            lower, below = bound, count
        return lower

    def raw(self):
        return {str(bound): count for bound, count in self._cumulative.items()}
