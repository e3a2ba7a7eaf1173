// Reads one trace file from its first byte to its end, while the runner writes it, and diagnoses as
// it goes. The file is over when the runner has unlinked it and everything was read; a file that
// shrinks was begun anew and is re-read.
//
// Thread safety: the loop's thread. Memory: the analyzer's bound, whatever the file's size.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "agent/observer/observer.h"
#include "agent/sources/fact.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::agent {

class TraceReader {
 public:
  enum class Step { more, idle, closed, lost };

  TraceReader(OpenedTrace trace, std::shared_ptr<const diagnosis::Rules> rules);

  const TraceId& id() const { return trace_.id; }
  const ProcessId& runner() const { return trace_.runner; }

  // Reads at most what `room` holds, so that the loop stays responsive. idle: nothing new now;
  // closed: read to the end after the runner let go; lost: unreadable from here on, see problem().
  Step step(std::span<char> room);

  const diagnosis::Analyzer::Progress& progress() const { return analyzer_.progress(); }
  const std::string& problem() const { return problem_; }
  bool complete() const { return complete_; }
  // When the runner let go of the file, by the file system's clock; once closed.
  std::optional<UnixMicros> unlinked_at() const { return unlinked_at_; }
  // Of what was read so far.
  TraceSum sum() const { return {offset_, crc_}; }

  // At most `limit` bytes from an offset; empty at the end.
  Result<std::string> read_at(int64_t offset, std::size_t limit) const;
  int64_t size() const { return offset_; }  // bytes read so far

  // Lines around one line, redacted, while the file is still held; for the controller's question.
  Result<diagnosis::Excerpt> lines_around(uint64_t line, uint32_t before, uint32_t after) const;

  // What passing runs of the job print; before finish().
  void known(const std::vector<uint64_t>& templates) { baseline_->add_templates(templates); }
  // What this run printed, for later ones.
  std::vector<uint64_t> templates() const { return analyzer_.templates(); }

  // Once, after closed or lost or when the job ended otherwise.
  diagnosis::Diagnosis finish(const diagnosis::ExitFacts& facts) { return analyzer_.finish(facts); }

 private:
  OpenedTrace trace_;
  std::shared_ptr<const diagnosis::Rules> rules_;
  std::unique_ptr<diagnosis::Baseline> baseline_;  // where the analyzer looks when it judges
  diagnosis::Analyzer analyzer_;
  int64_t offset_ = 0;
  uint32_t crc_ = 0;
  bool unlinked_ = false;  // seen unlinked at the end of the file once already
  bool complete_ = false;
  std::optional<UnixMicros> unlinked_at_;
  std::string problem_;
};

}  // namespace gitaiops::agent
