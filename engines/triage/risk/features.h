// What a change looks like to the risk model: the fourteen measures of Kamei and others, "A
// Large-Scale Empirical Study of Just-in-Time Quality Assurance" (TSE 2013).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gitaiops::triage::risk {

enum Feature : uint8_t {
  ns,       // subsystems touched
  nd,       // folders touched
  nf,       // files touched
  entropy,  // of the changed lines over the files, bits
  la,       // lines added
  ld,       // lines deleted
  lt,       // lines of the touched files before, mean
  fix,      // 1: the message speaks of a fix
  ndev,     // people who changed these files before
  age,      // days since these files were changed, mean
  nuc,      // earlier changes of these files
  exp,      // the author's earlier changes
  rexp,     // the same, recent ones counting more
  sexp,     // the author's earlier changes in these subsystems
  kFeatures
};

// NaN: not known.
using Features = std::array<double, kFeatures>;

// As a labelled file names them; "entropy" is also read as "entrophy".
inline constexpr std::array<std::string_view, kFeatures> kNames = {
    "ns",  "nd",   "nf",  "entropy", "la",  "ld",   "lt",
    "fix", "ndev", "age", "nuc",     "exp", "rexp", "sexp"};

struct Example {
  Features features;
  int64_t time_s = 0;
  bool risky = false;
};

}  // namespace gitaiops::triage::risk
