"""segment-analytics-python, unmodified, against a running Selfsame server."""

import base64
import json
import os
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

from segment.analytics.client import Client

URL = os.environ["SELFSAME_URL"].rstrip("/")
WRITE_KEY = os.environ["SELFSAME_WRITE_KEY"]
TOKEN = os.environ["SELFSAME_TOKEN"]
SPACE = os.environ["SELFSAME_SPACE"]

WITHIN_SECONDS = 20
EVERY_SECONDS = 0.1


def read(identifier, part, query=""):
    """One part of the profile of `type:value`; None while there is none."""
    path = f"/v1/spaces/{SPACE}/collections/users/profiles/{urllib.parse.quote(identifier, safe='')}/{part}{query}"
    token = base64.b64encode(f"{TOKEN}:".encode()).decode()
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Basic {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


class EveryCall(unittest.TestCase):
    def check(self, **settings):
        failures = []
        run = uuid.uuid4().hex[:8]
        user_id, anonymous_id = f"python-{run}", str(uuid.uuid4())
        group_id, email = f"company-{run}", f"python-{run}@example.com"
        client = Client(WRITE_KEY, host=URL, max_retries=1, on_error=lambda error, items: failures.append(error), **settings)

        sent = []

        def call(method, *arguments, **keywords):
            message_id = f"python-{run}-{len(sent)}"
            sent.append(message_id)
            ok, _ = getattr(client, method)(*arguments, message_id=message_id, **keywords)
            self.assertTrue(ok, method)

        call("page", anonymous_id=anonymous_id, name="Start", properties={"url": "https://shop.example/"})
        call("track", anonymous_id=anonymous_id, event="Products Searched", properties={"query": "mug"})
        call("screen", anonymous_id=anonymous_id, name="Home")
        call("identify", user_id, {"email": email, "name": "Python", "logins": 3}, anonymous_id=anonymous_id)
        call("group", user_id, group_id, {"name": "Company"})
        call("alias", anonymous_id, user_id)
        call("track", user_id, "Order Completed", {"revenue": 24.5, "products": [{"product_id": "p-1"}]})
        if not settings.get("sync_mode"):
            client.shutdown()
        self.assertEqual(failures, [])

        identifier = f"user_id:{user_id}"
        self.wait_for_events(identifier, sent)
        traits = read(identifier, "traits", "?limit=200")["traits"]
        self.assertEqual({name: traits.get(name) for name in ("email", "name", "logins")}, {"email": email, "name": "Python", "logins": 3})
        held = {(one["type"], one["id"]) for one in read(identifier, "external_ids", "?limit=100")["data"]}
        self.assertEqual(held, {("user_id", user_id), ("anonymous_id", anonymous_id), ("email", email)})
        links = [one["id"] for link in read(identifier, "links")["data"] for one in link["external_ids"]]
        self.assertEqual(links, [group_id])
        self.assertIn("created_at", read(identifier, "metadata")["metadata"])

    def wait_for_events(self, identifier, expected):
        end = time.monotonic() + WITHIN_SECONDS
        while True:
            answer = read(identifier, "events", "?limit=100")
            found = sorted(event["message_id"] for event in answer["data"]) if answer else []
            if found == sorted(expected) or time.monotonic() >= end:
                break
            time.sleep(EVERY_SECONDS)
        self.assertEqual(found, sorted(expected))

    def test_gzip(self):
        self.check(gzip=True)

    def test_plain(self):
        self.check(gzip=False)

    def test_one_request_each(self):
        self.check(sync_mode=True)


if __name__ == "__main__":
    unittest.main()
