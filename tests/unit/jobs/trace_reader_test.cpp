#include "agent/jobs/trace_reader.h"

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

// A trace as the runner keeps it: a file it writes and unlinks at the end.
class Trace : public testing::Test {
 protected:
  Trace() { write_.reset(::mkstemp(path_)); }
  ~Trace() override { ::unlink(path_); }

  TraceReader reader() {
    return {OpenedTrace{{1, 2, 3}, {}, 0, Fd(::open(path_, O_RDONLY))}, diagnosis::builtin_rules()};
  }
  void write(std::string_view text) {
    ASSERT_EQ(::write(write_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  static TraceReader::Step drain(TraceReader& reader) {
    std::array<char, 8> room;  // so that a trace takes several steps
    auto step = reader.step(room);
    while (step == TraceReader::Step::more) step = reader.step(room);
    return step;
  }

  char path_[32] = "/tmp/gitaiops-trace-XXXXXX";
  Fd write_;
};

TEST_F(Trace, IsReadWhileItGrowsAndToItsEndAfterTheUnlink) {
  auto r = reader();
  EXPECT_EQ(drain(r), TraceReader::Step::idle);
  write("one\ntwo\n");
  EXPECT_EQ(drain(r), TraceReader::Step::idle);
  EXPECT_EQ(r.progress().lines, 2u);
  write("three\n");
  ::unlink(path_);
  EXPECT_EQ(drain(r), TraceReader::Step::closed);
  EXPECT_EQ(r.progress().lines, 3u);
  EXPECT_TRUE(r.complete());
  EXPECT_EQ(to_string(r.sum()), "14 crc32:25e6d5b6");
}

TEST_F(Trace, ThatShrinksIsReadAnew) {
  auto r = reader();
  write("one\ntwo\nthree\n");
  (void)drain(r);
  ASSERT_EQ(::ftruncate(write_.get(), 0), 0);
  ::lseek(write_.get(), 0, SEEK_SET);
  write("anew\n");
  (void)drain(r);
  EXPECT_EQ(r.progress().lines, 1u);
  EXPECT_EQ(to_string(r.sum()), "5 crc32:773e2634");
}

TEST_F(Trace, LinesAroundAPlaceAreRedacted) {
  write("a\nb\nuse glpat-abcdefghij0123456789 here\nd\ne\n");
  const auto r = reader();
  const auto excerpt = r.lines_around(3, 1, 1);
  ASSERT_TRUE(excerpt.ok());
  EXPECT_EQ(excerpt->first_line, 2u);
  EXPECT_EQ(excerpt->last_line, 4u);
  EXPECT_EQ(excerpt->text, "b\nuse [REDACTED] here\nd");
  EXPECT_EQ(r.lines_around(99, 1, 1).error().code(), Code::not_found);
}

// Seen in the wild: a program that colours what it prints put codes inside a secret.
TEST_F(Trace, TerminalCodesInsideASecretDoNotHideIt) {
  write("pass\x1b[31mword=hunter2hunter2\n\x1b[0Kglpat-\x1b[1mabcdefghij0123456789\x1b[0m end\n");
  const auto r = reader();
  const auto excerpt = r.lines_around(1, 0, 1);
  ASSERT_TRUE(excerpt.ok());
  EXPECT_EQ(excerpt->text.find("hunter2"), std::string::npos) << excerpt->text;
  EXPECT_EQ(excerpt->text.find("abcdefghij"), std::string::npos) << excerpt->text;
  EXPECT_EQ(excerpt->text.find('\x1b'), std::string::npos);
  EXPECT_NE(excerpt->text.find(" end"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::agent
