#!/usr/bin/env python3
"""Writes hits.parquet: 5,000,000 page views made after the table of ClickBench. README.md describes it.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEED = 20130715
COUNTERS = 4_000
SPECIAL_COUNTER = 62          # the one that c36 to c42 ask of; the second most visited
PARTS = 8                     # each sorted by counter, day and user, as parts of the original are
ROW_GROUP = 250_000
DAYS = 31
JULY = np.datetime64("2013-07-01")
WORDS = np.array("купить недорого смотреть онлайн бесплатно скачать фильм погода москва новости работа отзывы цена фото видео карта "
                 "игры музыка рецепт ремонт квартира автомобиль расписание kino auto forum mail wiki photo hotel ticket radio sport".split())
PATHS = np.array("catalog news forum item search user photo video real-estate jobs cars map music product category article "
                 "gallery board topic thread".split())
DOMAINS = np.array("kino auto rabota market pogoda igra dom novosti foto muzyka moda tour bank sport avia".split())


def skewed(rng, n, size, power):
    """Numbers below n, small ones often: the density falls as a power does."""
    return np.minimum((n * rng.random(size) ** power).astype(np.int64), n - 1)


def spread(numbers, bits=63):
    """Numbers that tell nothing of their order: a multiplicative hash, as the identifiers of the original look."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)


def text(numbers):
    return pa.array(numbers).cast(pa.string())


def join(parts, separator=""):
    return pc.binary_join_element_wise(*parts, separator)


def pick(rng, words, n):
    return pa.array(words).take(pa.array(rng.integers(0, len(words), n, dtype=np.int32)))


def phrases(rng, n, n_words):
    return join([pick(rng, WORDS, n) for _ in range(n_words)], " ")


def make_urls(rng, counters):
    """A page's address: its counter's domain, a path, some with a query; one of 500 speaks of google."""
    n = len(counters)
    domain = join([pa.array(DOMAINS).take(pa.array(counters % len(DOMAINS))), text(counters), ".ru"])
    host = join([pa.array(np.where(counters % 3 == 0, "https://www.", "http://")), domain])
    plain = join([host, *(pick(rng, PATHS, n) for _ in range(4)), text(spread(np.arange(n), 27))], "/")
    query = join([pa.array(["?from=google.com&q=", "?page=", "?state=all&order=price&id="]).take(
        pa.array(np.minimum(1 + rng.integers(0, 2, n), (rng.random(n) >= 0.004) * 2).astype(np.int32))),
        text(rng.integers(0, 100_000, n))])
    return pc.if_else(pa.array(rng.random(n) < 0.5), join([plain, query]), plain)


def zeros_mostly(rng, n, share, values, kind=np.int16):
    return np.where(rng.random(n) < share, rng.integers(1, values + 1, n), 0).astype(kind)


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)

    # who looked at which counter when, in the order of the file
    counter = skewed(rng, COUNTERS, rows, 4)
    counter = np.where(counter == 1, SPECIAL_COUNTER, np.where(counter == SPECIAL_COUNTER, 1, counter)).astype(np.int32)
    user = skewed(rng, rows // 4, rows, 2)
    second = (rng.random(rows) * DAYS).astype(np.int64) * 86_400 + np.minimum(rng.normal(50_400, 14_400, rows).clip(0), 86_399).astype(np.int64)
    part = np.arange(rows) * PARTS // rows
    order = np.lexsort((second, spread(user), second // 86_400, counter, part))
    counter, user, second = counter[order], user[order], second[order]

    # pages, of which a counter has as many as its visits deserve; a page has one address and one title
    n_pages = max(rows * 3 // 10, COUNTERS)
    views = np.bincount(counter, minlength=COUNTERS)
    pages = np.maximum(n_pages * views // rows, 1)
    first_page = np.concatenate([[0], np.cumsum(pages)[:-1]])
    page = first_page[counter] + (pages[counter] * rng.random(rows) ** 3).astype(np.int64)
    n_pages = int(pages.sum())
    counter_of_page = np.repeat(np.arange(COUNTERS), pages)
    urls = make_urls(rng, counter_of_page)
    title_of_page = skewed(rng, n_pages // 2, n_pages, 1.5)
    titles = join([phrases(rng, n_pages // 2, 5), pa.array(np.where(rng.random(n_pages // 2) < 0.01, " - Google ", " - ")),
                   text(skewed(rng, 50_000, n_pages // 2, 2))])

    def strings(pool, at, empty=None):
        """Texts of a pool by number; empty where `empty`."""
        chosen = pool.take(pa.array(at))
        return chosen if empty is None else pc.if_else(pa.array(empty), "", chosen)

    def named(names, weights):
        return pa.array(names).take(pa.array(rng.choice(len(names), rows, p=weights).astype(np.int32)))

    # where they came from: nowhere, another page of the counter, a search engine, anywhere
    origin = rng.choice(4, rows, p=[0.19, 0.45, 0.16, 0.20])
    other_page = np.where(origin == 1, first_page[counter] + (pages[counter] * rng.random(rows) ** 3).astype(np.int64),
                          skewed(rng, n_pages, rows, 1.2))
    n_phrases = rows // 12
    phrase_pool = pc.if_else(pa.array(rng.random(n_phrases) < 0.5), phrases(rng, n_phrases, 3),
                             join([phrases(rng, n_phrases, 4), text(rng.integers(0, 1000, n_phrases))], " "))
    phrase = skewed(rng, n_phrases, rows, 2.5)
    searched = (origin == 2) & (rng.random(rows) < 0.8)          # 13 of a hundred have a phrase
    engine_pool = pa.array([f"http://{host}/search?text=" for host in ("yandex.ru", "www.google.ru", "go.mail.ru", "nova.rambler.ru", "www.bing.com")])
    engine = rng.choice(5, rows, p=[0.55, 0.25, 0.12, 0.05, 0.03])
    referer = pc.if_else(pa.array(origin == 2), join([engine_pool.take(pa.array(engine)), text(phrase)]), urls.take(pa.array(other_page)))
    referer = pc.if_else(pa.array(origin == 0), "", referer)
    search_engine = np.where(searched, np.array([2, 3, 5, 13, 7])[engine], 0).astype(np.int16)

    mobile = spread(user, 10) < 90                               # 9 of a hundred users, and always
    model = pa.array([""] + [f"{maker} {kind}" for maker in ("iPad", "iPhone", "Galaxy", "Lumia", "Nexus") for kind in range(1, 41)])
    model_of = np.where(mobile, 1 + (200 * (spread(user, 20) / 2**20) ** 3).astype(np.int64), 0)
    ip = spread(skewed(rng, rows // 5, rows, 1.8), 31).astype(np.int32)
    width = rng.choice(np.array([1366, 1920, 1280, 1024, 1440, 1600, 1680, 768, 320, 0], np.int16), rows, p=[.25, .17, .15, .1, .08, .07, .06, .05, .04, .03])
    event = JULY.astype("datetime64[us]") + second.astype("timedelta64[s]")
    late = rng.integers(0, 3600, rows).astype("timedelta64[s]")
    url_hash, referer_hash = spread(page), np.where(origin == 0, 0, spread(other_page * 4 + origin))
    region = skewed(rng, 9_000, rows, 5).astype(np.int32)

    # constants that c19, c40 and c41 look for belong to frequent values
    url_hash[url_hash == spread(first_page[SPECIAL_COUNTER:SPECIAL_COUNTER + 1])[0]] = 2868770270353813622
    of_special = (counter == SPECIAL_COUNTER) & (rng.random(rows) < 0.05)
    referer_hash[of_special] = 3594120000172545465
    user_id = spread(user)
    user_id[user == 7] = 435090932899640449

    columns = {
        "watch_id": spread(np.arange(rows) + 1_000_000_000), "java_enable": (rng.random(rows) < 0.8).astype(np.int16),
        "title": strings(titles, title_of_page[page], rng.random(rows) < 0.14), "good_event": np.ones(rows, np.int16),
        "event_time": event, "event_date": event.astype("datetime64[D]"), "counter_id": counter, "client_ip": ip, "region_id": region,
        "user_id": user_id, "counter_class": (rng.random(rows) < 0.3).astype(np.int16), "os": skewed(rng, 90, rows, 3).astype(np.int16),
        "user_agent": skewed(rng, 80, rows, 3).astype(np.int16), "url": strings(urls, page, rng.random(rows) < 0.0005), "referer": referer,
        "is_refresh": (rng.random(rows) < 0.12).astype(np.int16), "referer_category_id": zeros_mostly(rng, rows, .4, 12_000),
        "referer_region_id": zeros_mostly(rng, rows, .4, 800, np.int32), "url_category_id": zeros_mostly(rng, rows, .6, 12_000),
        "url_region_id": zeros_mostly(rng, rows, .6, 800, np.int32), "resolution_width": width,
        "resolution_height": (width // 16 * 9 + rng.integers(0, 3, rows) * 100).astype(np.int16),
        "resolution_depth": np.where(rng.random(rows) < 0.8, 32, 24).astype(np.int16), "flash_major": zeros_mostly(rng, rows, .8, 12),
        "flash_minor2": named(["", "700", "202", "169", "0"], [.2, .3, .2, .2, .1]), "net_major": zeros_mostly(rng, rows, .3, 4),
        "user_agent_major": skewed(rng, 100, rows, 2).astype(np.int16),
        "user_agent_minor": named(["D", "9", "0", "3", "D2", ""], [.3, .2, .2, .1, .1, .1]), "cookie_enable": (rng.random(rows) < .99).astype(np.int16),
        "is_mobile": mobile.astype(np.int16), "mobile_phone": (model_of // 4).astype(np.int16), "mobile_phone_model": strings(model, model_of),
        "params": strings(phrase_pool, phrase, rng.random(rows) < 0.97), "ip_network_id": skewed(rng, 200_000, rows, 2).astype(np.int32),
        "trafic_source_id": np.array([0, -1, 2, 6], np.int16)[origin], "search_engine_id": search_engine,
        "search_phrase": strings(phrase_pool, phrase, ~searched), "adv_engine_id": zeros_mostly(rng, rows, .006, 60),
        "window_client_width": (width - rng.integers(0, 40, rows).clip(0)).clip(0).astype(np.int16),
        "window_client_height": rng.integers(300, 1000, rows, dtype=np.int16), "client_time_zone": rng.choice(np.array([120, 180, 240, 300], np.int16), rows, p=[.2, .6, .15, .05]),
        "client_event_time": event + late, "silverlight_version1": zeros_mostly(rng, rows, .5, 5),
        "page_charset": named(["windows", "utf-8", "koi8-r", ""], [.45, .45, .05, .05]), "code_version": rng.choice(np.array([291, 384, 776, 893], np.int32), rows),
        "is_link": (rng.random(rows) < .07).astype(np.int16), "is_download": (rng.random(rows) < .003).astype(np.int16),
        "is_not_bounce": (rng.random(rows) < .02).astype(np.int16), "f_uniq_id": spread(user * 3 + 1), "original_url": strings(urls, other_page, rng.random(rows) < .8),
        "hid": spread(np.arange(rows), 31).astype(np.int32), "dont_count_hits": (rng.random(rows) < .1).astype(np.int16),
        "hit_color": named(["5", "E", "g"], [.9, .06, .04]), "age": zeros_mostly(rng, rows, .4, 55), "sex": zeros_mostly(rng, rows, .4, 2),
        "income": zeros_mostly(rng, rows, .4, 4), "remote_ip": ip ^ np.int32(1), "browser_language": named(["S?", "T0", "en", ""], [.8, .1, .05, .05]),
        "browser_country": named(["ru", "ua", "by", "kz", ""], [.7, .12, .05, .05, .08]), "http_error": zeros_mostly(rng, rows, .001, 500),
        "send_timing": zeros_mostly(rng, rows, .5, 30_000, np.int32), "dns_timing": zeros_mostly(rng, rows, .3, 2_000, np.int32),
        "connect_timing": zeros_mostly(rng, rows, .4, 3_000, np.int32), "response_start_timing": zeros_mostly(rng, rows, .7, 5_000, np.int32),
        "fetch_timing": zeros_mostly(rng, rows, .7, 9_000, np.int32), "utm_source": named(["", "direct", "yandex_direct", "mail"], [.95, .03, .01, .01]),
        "from_tag": named(["", "fb", "rss"], [.97, .02, .01]), "referer_hash": referer_hash, "url_hash": url_hash, "clid": zeros_mostly(rng, rows, .05, 9, np.int32),
    }
    pq.write_table(pa.table({name: column if isinstance(column, (pa.Array, pa.ChunkedArray)) else pa.array(column) for name, column in columns.items()}),
                   folder / "hits.parquet", row_group_size=ROW_GROUP)


if __name__ == "__main__":
    main()
