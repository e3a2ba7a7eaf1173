#include "base/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

const Definition kMetrics[] = {
    {"t_jobs_total", Type::counter, "Jobs seen.", {"outcome", "project"}},
    {
        "t_bytes",
        Type::gauge,
        "Bytes held.",
    },
    {"t_duration_seconds", Type::histogram, "How long it took.", {"route"}, {0.1, 1}},
};

class Metrics : public testing::Test {
 protected:
  Metrics() { registry_.declare(kMetrics); }
  Registry registry_;
};

TEST_F(Metrics, CounterAndGauge) {
  auto jobs = registry_.counter("t_jobs_total");
  jobs.add(1, {"failed", "a\"b\n\xff"});
  jobs.add(2, {"failed", "a\"b\n\xff"});
  jobs.add(-5, {"passed", "x"});
  registry_.gauge("t_bytes").set(42.5);
  const auto text = registry_.render();
  EXPECT_THAT(text, HasSubstr("# HELP t_jobs_total Jobs seen.\n# TYPE t_jobs_total counter\n"));
  EXPECT_THAT(text,
              HasSubstr("t_jobs_total{outcome=\"failed\",project=\"a\\\"b\\n\xEF\xBF\xBD\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("t_jobs_total{outcome=\"passed\",project=\"x\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nt_bytes 42.5\n"));
}

TEST_F(Metrics, WithoutLabelsIsThereFromTheStart) {
  EXPECT_THAT(registry_.render(), HasSubstr("\nt_bytes 0\n"));
  EXPECT_THAT(registry_.render(), Not(HasSubstr("t_jobs_total{")));
}

TEST_F(Metrics, HistogramIsCumulative) {
  auto duration = registry_.histogram("t_duration_seconds");
  for (const double value : {0.05, 0.1, 0.5, 3.0}) duration.observe(value, {"/a"});
  const auto text = registry_.render();
  EXPECT_THAT(text, HasSubstr("t_duration_seconds_bucket{route=\"/a\",le=\"0.1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("t_duration_seconds_bucket{route=\"/a\",le=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("t_duration_seconds_bucket{route=\"/a\",le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("t_duration_seconds_count{route=\"/a\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("t_duration_seconds_sum{route=\"/a\"} 3.65\n"));
}

TEST_F(Metrics, TotalsCountedElsewhereNeverFall) {
  auto jobs = registry_.counter("t_jobs_total");
  jobs.raise_to(7, {"a", "b"});
  jobs.raise_to(3, {"a", "b"});
  EXPECT_THAT(registry_.render(), HasSubstr("{outcome=\"a\",project=\"b\"} 7\n"));
}

TEST_F(Metrics, ManySeriesAreFoldedIntoOne) {
  auto jobs = registry_.counter("t_jobs_total");
  for (std::size_t i = 0; i < kMaxSeries + 10; ++i) jobs.add(1, {"x", std::to_string(i)});
  const auto text = registry_.render();
  EXPECT_THAT(text, HasSubstr("{outcome=\"other\",project=\"other\"} 10\n"));
  EXPECT_THAT(text, Not(HasSubstr("project=\"1003\"")));
}

TEST_F(Metrics, MistakesOfOursAbort) {
  EXPECT_DEATH(registry_.counter("t_bytes"), "t_bytes.*another type");
  EXPECT_DEATH(registry_.gauge("t_nothing"), "t_nothing.*not declared");
  EXPECT_DEATH(registry_.counter("t_jobs_total").add(1, {"one"}), "wrong number of label values");
  EXPECT_DEATH(registry_.declare(kMetrics), "declared twice");
  const Definition bad[] = {{"t_thing", Type::counter, "Things."}};
  EXPECT_DEATH(registry_.declare(bad), "ends in _total");
}

TEST_F(Metrics, Document) {
  EXPECT_EQ(document(kMetrics),
            "| Metric | Type | Labels | Meaning | Alert when |\n|---|---|---|---|---|\n"
            "| `t_bytes` | gauge |  | Bytes held. |  |\n"
            "| `t_duration_seconds` | histogram | `route` | How long it took. |  |\n"
            "| `t_jobs_total` | counter | `outcome`, `project` | Jobs seen. |  |\n");
}

}  // namespace
}  // namespace gitaiops::metrics
