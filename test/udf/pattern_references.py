"""What the patterns of patterns.json mean, computed apart from fletch: the functions that their `python` members call."""

import datetime, math, re, zlib


def lev(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def wilson(ups, downs):
    """Lower bound of a binomial share, 95 %."""
    n, z = ups + downs, 1.96
    if n == 0:
        return 0
    p = ups / n
    return (p + z * z / (2 * n) - z * math.sqrt((p * (1 - p) + z * z / (4 * n)) / n)) / (1 + z * z / n)


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value >> 1


def luhn(digits):
    total = 0
    for i, d in enumerate(reversed(digits)):
        d = int(d) * (2 if i % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return (10 - total % 10) % 10


def jaro(a, b):
    reach = max(len(a), len(b)) // 2 - 1
    taken, found = [False] * len(b), []
    for i, x in enumerate(a):
        for j in range(max(0, i - reach), min(len(b), i + reach + 1)):
            if not taken[j] and b[j] == x:
                taken[j] = True
                found.append(x)
                break
    if not found:
        return 0.0
    other = [y for j, y in enumerate(b) if taken[j]]
    swaps, m = sum(x != y for x, y in zip(found, other)) / 2, len(found)
    score = (m / len(a) + m / len(b) + (m - swaps) / m) / 3
    same = 0
    while same < min(4, len(a), len(b)) and a[same] == b[same]:
        same += 1
    return score + same * 0.1 * (1 - score)


def soundex(text):
    codes = {c: d for letters, d in (("BFPV", "1"), ("CGJKQSXZ", "2"), ("DT", "3"), ("L", "4"), ("MN", "5"), ("R", "6")) for c in letters}
    letters = [c for c in text.upper().split()[0] if c.isalpha()]
    out, last = letters[0], codes.get(letters[0])
    for c in letters[1:]:
        code = codes.get(c)
        if code and code != last:
            out += code
        if c not in "HW":
            last = code
    return (out + "000")[:4]


def geohash(lat, lon, length):
    ranges, value, bits, out, even = [[-180.0, 180.0], [-90.0, 90.0]], 0, 0, "", True
    while len(out) < length:
        low_high, x = (ranges[0], lon) if even else (ranges[1], lat)
        middle = sum(low_high) / 2
        value = value * 2 + (x >= middle)
        low_high[0 if x >= middle else 1] = middle
        even, bits = not even, bits + 1
        if bits == 5:
            out, value, bits = out + "0123456789bcdefghjkmnpqrstuvwxyz"[value], 0, 0
    return out


def inside(x, y, corners):
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1]):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def drawdown(series):
    top, worst = series[0], 0.0
    for value in series:
        top = max(top, value)
        worst = max(worst, (top - value) / top)
    return worst


def irr(flows):
    rate = 0.1
    for _ in range(100):
        value = sum(f / (1 + rate) ** t for t, f in enumerate(flows))
        slope = sum(-t * f / (1 + rate) ** (t + 1) for t, f in enumerate(flows))
        rate -= value / slope
    return rate


def tax(income):
    if income is None:
        return None
    total, low = 0.0, 0
    for high, rate in ((11000, 0.0), (25000, 0.1), (50000, 0.2), (math.inf, 0.35)):
        total += max(0, min(income, high) - low) * rate
        low = high
    return total


def trigrams(a, b):
    parts = [{f"  {t} "[i:i + 3] for i in range(len(t) + 1)} for t in (a, b)]
    return len(parts[0] & parts[1]) / len(parts[0] | parts[1])


def workdays(begin, end):
    day, last, count = datetime.date.fromisoformat(begin), datetime.date.fromisoformat(end), 0
    while day < last:
        count += day.weekday() < 5
        day += datetime.timedelta(1)
    return count


def zone(country):
    return {"SE": 1, "NO": 1, "DK": 1, "DE": 2, "FR": 2, "US": 5}.get(country, 7)


def boosted(age, idle, purchases):
    trees = ((0.2 if age < 25 else 0.05), (0.4 if idle > 30 else -0.1), (-0.3 if purchases > 5 else 0.25 if idle > 90 else 0.1))
    return 1 / (1 + math.exp(-sum(trees)))


def network(*inputs):
    hidden = [math.tanh(sum(w * x / 50 for w, x in zip(row, inputs))) for row in ((0.4, -0.2, 0.1), (-0.3, 0.8, 0.5))]
    return sum(w * h for w, h in zip((1.5, -0.75), hidden))


def nearest(*point):
    centres = ((4.5, 2), (3.0, 1), (4.8, 4))
    return min(range(3), key=lambda i: math.dist(point, centres[i]))


def sentiment(text):
    words = {"flies": 2, "cheap": -1, "pills": -2, "launch": 1}
    return sum(words.get(w.strip(".,:!"), 0) for w in text.lower().split())


def language(text):
    return "sv" if sum(text.count(c) for c in "åäö") * 20 > len(text) else "en"


def spam(text):
    table = {"buy": 3.0, "cheap": 2.5, "pills": 6.0, "now": 1.4, "launch": 0.2, "day": 0.8}
    odds = math.log(0.3 / 0.7) + sum(math.log(table.get(w, 1.0)) for w in re.findall(r"\w+", text.lower()))
    return 1 / (1 + math.exp(-odds))


def quantile(amount):
    return sum(amount > edge for edge in (10, 25, 50, 100, 250, 1000, 5000)) / 7
