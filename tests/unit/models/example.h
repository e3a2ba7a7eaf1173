// A failed job as an agent reports it, and an answer about it.
#pragma once

#include <string>

#include "controller/models/prompt.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::models::testing {

inline fleet::v1::JobReport report_of_a_failed_test() {
  fleet::v1::JobReport report;
  report.set_report_id("r-1");
  report.set_exit_code(1);
  auto& d = *report.mutable_diagnosis();
  d.set_category("test_failure");
  d.set_owner("test");
  d.set_phase("step_script");
  d.set_command("pytest -q");
  d.set_confidence(0.9);
  d.set_fingerprint("v1:abc");
  d.mutable_root_cause()->set_line(41);
  auto& test = *d.add_failing_tests();
  test.set_name("test_total");
  test.set_file("tests/test_cart.py");
  auto& first = *d.add_packet();
  first.set_first_line(7);
  first.set_last_line(7);
  first.set_text("collected 12 items\n");
  auto& second = *d.add_packet();
  second.set_first_line(40);
  second.set_last_line(42);
  second.set_text(
      "    assert total(cart) == 10\nE   assert 12 == 10\nFAILED tests/test_cart.py in 0.31s");
  return report;
}

inline std::string good_answer() {
  return R"({"explanation":"total() adds the price without the discount, so test_total sees 12.",)"
         R"("fix":"Apply the discount in total().","owner":"code","confidence":"high","lines":[41,40]})";
}

inline Question question_of_a_failed_test() {
  return failure_question(failure_prompt(), report_of_a_failed_test(),
                          "4f1c0a0de5a14b0f8c3a7f0a11d2e3c4");
}

}  // namespace gitaiops::models::testing
