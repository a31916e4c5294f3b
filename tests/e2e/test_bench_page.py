"""The page of results, in a real browser: it needs nothing else, draws its lines, and fits desktop and phone.

Keeps screenshots in $ZELL_SCREENSHOTS, if that is set.
"""

import json
import os
import unittest

from browser import CHROMIUM, Browser
from harness import Case
from sample_results import sample_result

VISIBLE_LINES = """[...document.querySelectorAll('path[data-line]')]
    .filter(line => line.getClientRects().length > 0 && line.getTotalLength() > 100)
    .map(line => line.dataset.line)"""
ATTACK = "<img src=http://127.0.0.1:9/x onerror=\"window.broken=1\"></style></title><script>window.broken=1</script>&amp;'\""


@unittest.skipUnless(CHROMIUM, "no Chromium here: apt-get install chromium")
class Page(Case):
    def setUp(self):
        super().setUp()
        self.browser = Browser(f"{self.home}/profile")

    def tearDown(self):
        self.browser.close()
        super().tearDown()

    def page_of(self, results, name="page.html"):
        with open(f"{self.home}/results.json", "w") as file:
            json.dump(results, file)
        self.good("bench", "html", "results.json", "--out", name)
        return f"file://{self.home}/{name}"

    def check_page(self, url, **how):
        self.browser.open(url, **how)
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual([seen for seen in self.browser.requested() if not seen.startswith("data:")], [url])
        width = self.browser.evaluate("document.documentElement.scrollWidth")
        self.assertLessEqual(width, how.get("width", 1100), "it scrolls sideways")
        if folder := os.environ.get("ZELL_SCREENSHOTS"):
            self.browser.screenshot(f"{folder}/{self._testMethodName}-{how.get('width', 1100)}{'-dark' if how.get('dark') else ''}.png")

    def test_one_result_draws_each_line_once_on_desktop_and_phone_in_light_and_dark(self):
        url = self.page_of(sample_result(seconds=30))
        backgrounds = set()
        for width in (1100, 390):
            for dark in (False, True):
                self.check_page(url, width=width, dark=dark)
                self.assertEqual(self.browser.evaluate(VISIBLE_LINES), ["requests/s", "p50", "p99", "max", "latency"])
                backgrounds.add(self.browser.evaluate("getComputedStyle(document.body).backgroundColor"))
                # Text that an SVG has shrunk with it would not be readable on a phone.
                height = self.browser.evaluate("""Math.min(...[...document.querySelectorAll('svg text')]
                    .map(text => text.getBoundingClientRect().height).filter(height => height > 0))""")
                self.assertGreater(height, 9)
        self.assertEqual(len(backgrounds), 2)
        text = self.browser.evaluate("document.body.innerText")
        for words in ("4 nodes", "requests/s", "n4", "duration_s"):
            self.assertIn(words, text)

    def test_several_results_are_drawn_over_each_other(self):
        url = self.page_of([sample_result(k, 5000 + 1000 * k, 8000 - 1000 * k) for k in range(3)])
        self.check_page(url)
        lines = self.browser.evaluate(VISIBLE_LINES)
        self.assertEqual(lines.count("run 2"), 2)
        self.assertEqual(len(lines), 3 + 6 + 3)
        colors = self.browser.evaluate("""new Set([...document.querySelectorAll('svg.wide path[data-line]')]
            .map(line => getComputedStyle(line).stroke)).size""")
        self.assertEqual(colors, 3)

    def test_goals_and_limits_are_shown_when_they_are_there(self):
        result = sample_result()
        result["limits"] = self.good("bench", "limits", "--rounds", "1", "--json").json()
        result["goals"] = [{"name": "a goal", "value": 0.5, "unit": "x", "goal": ">= 0.8", "met": False, "how": "1 over 2"}]
        self.check_page(self.page_of(result))
        text = self.browser.evaluate("document.body.innerText")
        for words in ("a goal", "✗", "1 over 2", "ecdsa-verify"):
            self.assertIn(words, text)

    def test_no_text_of_a_result_becomes_markup(self):
        def attack(value):
            if isinstance(value, dict):
                return {key if key in KNOWN else key + ATTACK: attack(item) for key, item in value.items()}
            if isinstance(value, list):
                return [attack(item) for item in value]
            return ATTACK if isinstance(value, str) else value

        result = sample_result()
        result["goals"] = [{"name": "", "value": "", "unit": "", "goal": "", "met": True, "how": ""}]
        KNOWN = set(result) | {"name", "cpu", "kernel", "value", "unit", "goal", "met", "how", "nodes", "requests_per_s", "counts",
                               "histogram", "second", "requests", "p50_us", "p99_us", "max_us", "p50", "p99"}
        attacked = {**attack(result), "schema": 1, "kind": "bench"}
        self.check_page(self.page_of(attacked))
        self.assertIsNone(self.browser.evaluate("window.broken"))
        self.assertEqual(self.browser.evaluate("document.images.length + document.scripts.length"), 0)
        shown = self.browser.evaluate("document.querySelectorAll('td')[0].textContent")
        self.assertEqual(shown, ATTACK)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('style').length"), 1)
        self.check_page(self.page_of([attacked, attacked]))
        self.assertIsNone(self.browser.evaluate("window.broken"))


if __name__ == "__main__":
    unittest.main()
