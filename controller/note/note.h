// The one note on a merge request, as Markdown: values in, text out. It is composed of named
// sections by contributors that do not know each other; `failures`, `acts`, `risk`,
// `look_at`, `vulnerabilities`, `usage`, `reviewers` and `guidelines`.
//
// What every note keeps, whatever the log, the job names and the paths say:
//   - at most 25 lines are visible, the rest is folded; at most 60 KiB in all; valid UTF-8 without
//   control, bidirectional
//     or invisible characters;
//   - foreign text stands in code spans or in a fence, each line of it after a line number: it
//   cannot mention, refer,
//     link, run a quick action, be HTML or break out;
//   - the first line is the hidden marker by which we find the note again;
//   - empty when there is nothing to say.
// Complexity: linear in the view. Thread safety: values; sections are immutable.
// Tests: tests/unit/note, tests/fuzz/note (the list above as a checker).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "controller/note/markdown.h"
#include "engines/triage/triage.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::note {

constexpr std::size_t kMaxVisibleLines = 25;
constexpr std::size_t kMaxBytes = 60 << 10;

// ---- What is known ----

// What is known of earlier failures of this kind, in numbers and our own words.
struct Seen {
  int64_t times = 0;     // earlier ones in this project
  bool or_more = false;  // counting stopped there
  UnixMicros first_at;
  int64_t elsewhere_times = 0, elsewhere_projects = 0;
  enum class Cure { unknown, retry, change } cure = Cure::unknown;  // of the last one that passed
  std::string sha;                                                  // of the change
  bool flaky = false;  // this job passed on the very same commit
};

// What was done by itself about a job of this pipeline, or will be.
struct Act {
  std::string job_name;
  std::string category;       // for which it was done
  std::string state;          // "intended", "done", "refused"
  std::string detail;         // why it was refused
  std::string status;         // of the job it made, GitLab's word; empty: not known
  bool elsewhere = false;     // another runner was wanted, which GitLab cannot be told
  std::string asked_by = {};  // GitLab's user name; empty: nobody, a rule decided
};

// Who could look at the change, in GitLab's words and those of its history.
struct Reviewer {
  std::string username, name;
  std::string reason;  // our words, with the name of a folder within
  std::string place;   // that folder; empty: none
};

// A model's words about a failure. Foreign.
struct Explanation {
  std::string model;  // its name
  std::string explanation, fix;
  std::string owner;  // as a diagnosis names owners; else nothing is said of it
  struct Line {
    uint64_t number = 0;
    std::string text;
  };
  std::vector<Line> lines;  // of the log, that it cites
};

// A model's words about the change. Foreign, but for the kind and the risk.
struct Reading {
  std::string model;  // its name
  triage::Type kind = triage::Type::chore;
  triage::Level risk = triage::Level::low;
  bool sure = false;  // of these two
  struct Point {
    std::string path;
    int64_t line = 0;
    bool removed = false;  // the line
    std::string why;
    std::string guideline;  // by its name; empty: none
  };
  std::vector<Point> points;
};

// What passed runs of a job on the target branch took, as far as each is known. Microseconds,
// bytes.
struct Usual {
  std::vector<int64_t> wall_us, memory_bytes;
};

// One job of the merge request's newest pipeline, as GitLab tells it, without superseded runs.
struct JobView {
  int64_t id = 0;
  std::string name;            // empty without GitLab: shown as "job 42"
  std::string status;          // GitLab's word
  std::string failure_reason;  // GitLab's word
  std::string web_url;         // empty: no link
  bool allow_failure = false;
  std::optional<fleet::v1::JobReport> report;  // absent: no agent watched it
  bool fetched = false;                        // its log was read at GitLab: no agent watched it
  std::optional<Seen> seen = std::nullopt;     // absent: nothing to say
  std::optional<Explanation> explanation = std::nullopt;  // absent: no model said anything
  Usual usual = {};                                       // of a job that passed
  int64_t project_id = 0, pipeline_id = 0;                // GitLab's: where it runs
};

// One vulnerability of something that the project depends on. All but the numbers is foreign.
struct Vulnerable {
  std::string package, version;
  std::string fixed;          // empty: no fixed version is known
  std::string name, summary;  // the name by which people know it
  int severity = 0;           // 0 unknown, 1 none, 2 low, 3 medium, 4 high, 5 critical
  bool known_exploited = false;
  std::vector<std::string> path;  // "name@version", from what the project asks for to the package
  std::string reason = {};        // why it does not count
};

// What the merge request changes in what the project depends on.
inline constexpr int kHigh = 4, kCritical = 5;
struct Dependencies {
  // New ones of at least that severity are worth a note, as are those that are known to be
  // exploited; above kCritical: none is.
  int least_severity = kHigh;
  std::string target_branch;         // foreign
  std::string commit;                // of what is compared, where that is not the newest
  bool target_known = true;          // false: nothing can be said to be new
  std::vector<Vulnerable> accepted;  // as `added`, but they do not count, each with its `reason`
  std::vector<Vulnerable> added, removed;  // the riskiest first; without a target all in `added`
  int64_t packages_added = 0, packages_removed = 0, packages_changed = 0;
  bool told_before = false;  // the note that stands told of vulnerabilities
};

// The new ones that are bad enough to be told of by themselves.
std::vector<Vulnerable> worth_a_note(const Dependencies& dependencies);

// What the project asks of those who review. Foreign.
struct Guideline {
  std::string name, text;
};

struct View {
  std::string place;            // "<instance>/<project id>/<iid>": which note this is
  std::string pipeline_status;  // GitLab's word
  std::vector<JobView> jobs;
  std::string target_branch = {};                           // foreign; what is usual is its
  std::vector<Act> acts = {};                               // oldest first
  std::optional<Dependencies> dependencies = std::nullopt;  // absent: nothing is known
  // More is on its way: a job has just ended, and its report, what the advisories say of its
  // checkout, or the pipeline's next job is not there yet.
  bool incomplete = false;
  bool has_note = false;  // a note with something in it stands there already
  // false: the note has readers who may not see the logs. Sections then get reports without
  // anything that was read from a log and without free text, and no names of packages.
  bool quote_logs = true;
  std::vector<Reviewer> reviewers = {};                 // the first is the one to ask
  bool reviewers_alone = false;                         // are worth a note without anything else
  std::optional<triage::Triage> triage = std::nullopt;  // of its newest commit; absent: not known
  std::vector<Guideline> guidelines = {};               // for files that it touches
  bool triage_alone = false;  // is worth a note, where there is something to say of it
  std::optional<Reading> reading = std::nullopt;  // of its newest commit; absent: no model read it
  bool reading_alone = false;                     // is worth a note, where it names places
  // What the project's own file says of its notes (engines/project_file).
  bool wanted = true;                                // false: none at all
  std::set<std::string, std::less<>> unwanted = {};  // sections, by name
  std::vector<std::string> mistakes = {};            // of that file. Foreign
  bool wants(std::string_view section) const { return wanted && !unwanted.contains(section); }
};

// The view without what its readers may not see: as it is where they see logs.
View for_readers(View view);
// What the rules found of a failed job, in one or two lines: what failed and why, and the line of
// the log that says so. Of a view for its readers.
std::string in_short(const JobView& job);

// ---- What a contributor says of it ----

// Markdown that keeps the rules above (controller/note/markdown.h has what makes foreign text
// safe).
struct Block {
  std::string shown;       // visible while there is room, else folded
  std::string folded;      // always folded
  std::string fold_title;  // our words for `folded`, e.g. "usage of 3 jobs"
};

struct Contribution {
  bool worth_a_note = false;  // somebody should be told, not only when a note stands already
  std::string headline;       // one line; the first section that is worth a note gives the note's
  std::string lead = {};      // at most two lines right below the headline
  std::vector<Block> blocks;  // most important first
};

class Section {
 public:
  virtual ~Section() = default;
  virtual std::string_view name() const = 0;
  virtual Contribution contribute(const View& view) const = 0;
};

std::shared_ptr<const Section> failures();
std::shared_ptr<const Section> acts();
std::shared_ptr<const Section> usage();
std::shared_ptr<const Section> reviewers();
std::shared_ptr<const Section> risk();
std::shared_ptr<const Section> look_at();
std::shared_ptr<const Section> guidelines();
std::shared_ptr<const Section> dependencies();  // "vulnerabilities"
// Whether a note has something of that section.
bool tells_of_dependencies(std::string_view body);

// ---- The note ----

class Composer {
 public:
  explicit Composer(std::vector<std::shared_ptr<const Section>> sections = {failures(), acts(),
                                                                            risk(), look_at(),
                                                                            dependencies(), usage(),
                                                                            reviewers(),
                                                                            guidelines()})
      : sections_(std::move(sections)) {}
  std::string compose(const View& view) const;

 private:
  std::vector<std::shared_ptr<const Section>> sections_;
};

// A note that is left as it is from now on, with a last line that says by whose wish; the same when
// it has that line. One line more than a note has.
std::string muted(std::string body, std::string_view username);

// The note's first line. A note is ours when we wrote it and it begins with this.
std::string marker(std::string_view place);

}  // namespace gitaiops::note
