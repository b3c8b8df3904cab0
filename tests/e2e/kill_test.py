# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random points, then the same command again: the output is byte for byte that of a run
that nobody disturbed, and no more calls are paid again than were in flight."""
import random
import signal
import time

import harness

KILLS = 24
CONCURRENCY = 16
PIPELINE = """
xylem: 1
name: kill
seed: 11
models:
  teacher: {{ use: openai, base_url: "{url}", model: test-model, concurrency: {concurrency} }}
steps:
  - id: plan
    use: grid
    with: {{ topic: [{topics}], style: [terse, long, ironic] }}
  - id: draft
    use: generate
    model: teacher
    prompt: {{ user: "Write about {{{{ topic }}}} in a {{{{ style }}}} way." }}
    output: {{ into: draft }}
  - id: revise
    use: generate
    model: teacher
    prompt: {{ user: "Make this better ({{{{ record_id }}}}): {{{{ draft }}}}" }}
    samples: 2
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
"""


class Kill(harness.Case):
    def pipeline(self, server):
        topics = ", ".join(f"topic{i}" for i in range(200))
        return self.write("kill.yaml", PIPELINE.format(url=server.url, topics=topics,
                                                       concurrency=CONCURRENCY))

    def quiet_stats(self, server):
        """The counts once the server is done with what a killed process had sent: what it still
        answers then must not be counted against the next process."""
        for _ in range(200):
            stats = server.stats()
            time.sleep(0.02)
            if stats["in_flight"] == 0 and server.stats()["requests"] == stats["requests"]:
                return stats
        self.fail("the server is not done with the requests of a dead client")

    def test_output_is_the_same_and_little_is_paid_again(self):
        draws = random.Random(20240611)
        faults = ["--latency-ms", "4", "--jitter-ms", "4", "--fail", "429:0.02,500:0.01,reset:0.01",
                  "--retry-after", "0", "--seed", "5"]
        with harness.Server(*faults) as server:
            self.pipeline(server)
            self.xylem("run", "-q", "kill.yaml", "--runs", "undisturbed")
            expected, rejects = self.read("out.jsonl"), self.read("rejects.jsonl")
            self.assertEqual(len(self.records("out.jsonl")), 1200)
            whole = server.stats()
            server.reset()
            kills = 0
            for attempt in range(200):
                process = self.start("run", "-q", "kill.yaml", "--runs", "disturbed")
                if kills < KILLS:
                    time.sleep(draws.uniform(0.03, 0.18))
                    process.send_signal(signal.SIGKILL)
                process.stderr.read()
                process.stderr.close()
                ended = process.wait()
                if ended == -signal.SIGKILL:
                    kills += 1
                    # Summed over all kills: a process that dies young leaves answers that an
                    # earlier one had lost for the next to pay for.
                    again = self.quiet_stats(server)["answered_again"]
                    self.assertLessEqual(again, kills * CONCURRENCY, f"after kill {kills}")
                elif kills >= KILLS:
                    self.assertEqual(ended, 0)
                    break
            stats = server.stats()
            self.assertGreaterEqual(kills, 20)
            self.assertEqual(self.read("out.jsonl"), expected)
            self.assertEqual(self.read("rejects.jsonl"), rejects)
            self.assertEqual(stats["distinct_bodies"], whole["distinct_bodies"])
            print(f"{kills} kills, {stats['distinct_bodies']} different requests, "
                  f"{stats['answered_again']} answers paid for again, "
                  f"at most {kills * CONCURRENCY} could have been in flight")


if __name__ == "__main__":
    harness.main()
