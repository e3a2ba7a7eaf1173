#include "tests/unit/tracker/simulation.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <random>

namespace gitaiops::agent::simulation {
namespace {

constexpr int64_t kUtc = 1'700'000'000'000'000;  // UTC when the steady clock shows 0
constexpr int64_t kStart = 1'000'000'000;        // steady
constexpr int64_t kSample = 1'000'000;
constexpr int64_t kKernelTick = 4'000;
const ProcessId kRunner{100, 5};

struct Stage {
  ProcessId root;
  int64_t from, until;
  std::string cwd;
  std::optional<int64_t> claim;
};

struct SimJob {
  JobRef ref;
  std::string entry, project;
  int slot = 0;
  bool liar = false;
  int64_t announced, born, ended, closed;
  bool failed = false;
  std::optional<TraceId> trace;  // nullopt: lost
  TraceSum sum;
  std::string claim;
  std::vector<Stage> stages;
};

class World {
 public:
  explicit World(const Options& options) : o_(options), random_(options.seed) {}

  Outcome run() {
    make_jobs();
    make_stages();
    make_lies();
    schedule_log();
    schedule_usage_log();
    schedule_traces();
    schedule_samples();
    schedule_restarts();
    play();
    judge_missing();
    return std::move(outcome_);
  }

 private:
  int64_t uniform(int64_t from, int64_t until) {
    return std::uniform_int_distribution<int64_t>(from, until)(random_);
  }
  bool chance(double share) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < share;
  }

  std::string checkout(const SimJob& job) const {
    return "/builds/" + job.entry + "/" + std::to_string(job.slot) + "/" + job.project;
  }

  void make_jobs() {
    std::vector<int64_t> starts;
    for (int i = 0; i < o_.jobs; ++i) starts.push_back(kStart + uniform(0, o_.spread_us));
    std::sort(starts.begin(), starts.end());
    std::multiset<int64_t> workers;  // when each is free again
    // When each of an entry's requests is free again.
    std::map<std::string, std::vector<int64_t>> requests;
    for (int i = 0; i < o_.jobs; ++i) {
      SimJob job;
      job.ref = {"lab", 1000 + i};
      job.entry = "runner-" + std::string(1, static_cast<char>('A' + uniform(0, o_.entries - 1)));
      job.project = "grp/project" + std::to_string(uniform(0, o_.projects - 1));
      auto& free_from = requests[job.entry];
      free_from.resize(static_cast<std::size_t>(o_.requests));
      auto& request = *std::min_element(free_from.begin(), free_from.end());
      job.announced = std::max(starts[static_cast<std::size_t>(i)], request);
      if (o_.concurrent > 0 && static_cast<int>(workers.size()) == o_.concurrent) {
        job.announced = std::max(job.announced, *workers.begin() + uniform(1'500, 8'000));
        workers.erase(workers.begin());
      }
      const auto slow = o_.requests > 1 ? 40'000 : 5'000;
      job.born = job.announced + uniform(200, chance(o_.starved) ? 250'000 : slow);
      request = job.born + uniform(1'000, 10'000);
      job.ended = job.born + uniform(o_.shortest_us, o_.longest_us);
      job.closed = job.ended + uniform(1'000, o_.slow_upload ? 5'000'000 : 300'000);
      job.failed = chance(0.5);
      workers.insert(job.closed);
      std::set<int> taken;
      for (const auto& other : jobs_)
        if (other.entry == job.entry && other.project == job.project &&
            other.closed + 1'000 > job.born)
          taken.insert(other.slot);
      while (taken.contains(job.slot)) ++job.slot;
      if (!chance(o_.lose_trace))
        job.trace = TraceId{1, static_cast<uint64_t>(5000 + i),
                            (job.born + kUtc) / kKernelTick * kKernelTick * 1000};
      job.sum = {2000 + i, static_cast<uint32_t>(i) * 2654435761U};
      if (i > 0 && chance(o_.same_text)) job.sum = jobs_.back().sum;
      job.claim = checkout(job);
      job.liar = chance(o_.liars);
      jobs_.push_back(std::move(job));
    }
  }

  void make_stages() {
    int32_t pid = 1000;
    for (auto& job : jobs_) {
      int64_t at = job.born + uniform(1'000, 30'000);
      while (at < job.ended - 20'000) {
        const auto until = std::min(job.ended - 10'000, at + uniform(30'000, o_.longest_us / 2));
        Stage stage{{++pid, static_cast<uint64_t>(at / 10'000 + 1)}, at, until, checkout(job), {}};
        if (chance(o_.claimed)) stage.claim = job.ref.job_id;
        if (chance(0.3)) stage.cwd += "/src/deep";
        if (chance(o_.wanderers)) {
          stage.cwd = "/srv/somewhere";
          stage.claim = job.ref.job_id;
        }
        job.stages.push_back(std::move(stage));
        at = until + uniform(2'000, 60'000);
      }
    }
  }

  // A liar takes on another job's face: its path in the log, its number in the environment, its
  // directory.
  void make_lies() {
    for (auto& job : jobs_) {
      if (!job.liar) continue;
      const auto& other = jobs_[static_cast<std::size_t>(uniform(0, o_.jobs - 1))];
      const auto kind = uniform(0, 3);
      if (kind == 0 || kind == 3) job.claim = checkout(other);
      if (kind == 1 || kind == 3)
        for (auto& stage : job.stages) stage.claim = other.ref.job_id;
      // Not of another liar: two that exchange their places entirely cannot be told from two that
      // do not.
      const bool honest_place = std::none_of(jobs_.begin(), jobs_.end(), [&](const SimJob& j) {
        return j.liar && checkout(j) == checkout(other);
      });
      if ((kind == 2 || kind == 3) && honest_place)
        for (std::size_t i = 1; i < job.stages.size(); ++i) job.stages[i].cwd = checkout(other);
    }
    // Two jobs of one project that swap their faces.
    for (std::size_t a = 0; o_.liars > 0 && a + 1 < jobs_.size(); ++a) {
      auto &x = jobs_[a], &y = jobs_[a + 1];
      if (x.entry != y.entry || x.project != y.project || !x.liar) continue;
      x.liar = y.liar = true;
      x.claim = checkout(y);
      y.claim = checkout(x);
      for (auto& stage : x.stages) stage.claim = y.ref.job_id;
      for (auto& stage : y.stages) stage.claim = x.ref.job_id;
    }
  }

  using Act = std::function<void(int64_t now)>;
  void at(int64_t when, Act act) { events_.push({when, ++sequence_, std::move(act)}); }

  struct Line {
    int64_t written;
    std::vector<std::pair<Field, std::string>> fields;
    JobRef job;
  };

  void schedule_log() {
    for (const auto& job : jobs_) {
      if (!chance(o_.lose_announcement))
        lines_.push_back({job.announced,
                          {{Field::project_path, job.project},
                           {Field::runner_short, job.entry},
                           {Field::received_at, ""}},
                          job.ref});
      if (!chance(o_.lose_end))
        lines_.push_back({job.ended,
                          {{Field::project_id, "7"},
                           {Field::runner_short, job.entry},
                           {Field::duration_us, std::to_string(job.ended - job.born)},
                           {Field::finished_at, ""},
                           {Field::outcome, job.failed ? "failed" : "passed"}},
                          job.ref});
      if (!o_.sums) continue;
      const auto part = to_string(TraceSum{job.sum.bytes / 2, 17});
      lines_.push_back({(job.born + job.ended) / 2, {{Field::trace_sum, part}}, job.ref});
      if (!chance(o_.lose_sum))
        lines_.push_back({uniform(job.ended + 1, job.closed - 1),
                          {{Field::trace_sum, to_string(job.sum)}},
                          job.ref});
    }
    std::sort(lines_.begin(), lines_.end(),
              [](const Line& a, const Line& b) { return a.written < b.written; });
    int64_t arrival = 0;
    std::vector<Line> twice;
    for (const auto& line : lines_) {
      twice.push_back(line);
      if (chance(o_.doubled)) twice.push_back(line);
    }
    for (const auto& line : twice) {
      arrival = std::max(arrival, line.written + uniform(0, o_.log_latency_us));
      at(arrival, [this, line](int64_t now) { log(line, now); });
    }
  }

  void log(const Line& line, int64_t now) {
    if (!tracker_) {
      waiting_.push_back(line);
      return;
    }
    tell(line, now, o_.log_latency_us);
  }

  void tell(const Line& line, int64_t now, int64_t late) {
    const auto stamp = (o_.journal_stamps ? line.written : now) + kUtc;
    for (const auto& [field, value] : line.fields)
      tracker_->on_fact({line.job,
                         field,
                         value.empty() ? std::to_string(stamp) : value,
                         Source::runner_log,
                         {stamp},
                         ++order_,
                         o_.journal_stamps ? 0 : late},
                        {now});
  }

  void schedule_usage_log() {
    if (!o_.usage_log) return;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      at(jobs_[i].ended + uniform(0, 50'000),
         [this, i](int64_t now) { tell_usage(jobs_[i], now); });
  }

  void tell_usage(const SimJob& job, int64_t now) {
    if (!tracker_) return;
    const std::pair<Field, std::string> fields[] = {
        {Field::runner_short, job.entry},
        {Field::received_at, std::to_string(job.born + kUtc)},
        {Field::finished_at, std::to_string(job.ended + kUtc)},
        {Field::duration_us, std::to_string(job.ended - job.born)},
        {Field::outcome, job.failed ? "failed" : "passed"}};
    for (const auto& [field, value] : fields)
      tracker_->on_fact({job.ref, field, value, Source::usage_log, {now + kUtc}, ++order_, -1},
                        {now});
  }

  TraceProgress progress_of(const SimJob& job, int64_t now) const {
    TraceProgress progress;
    progress.runner_short = job.entry;
    progress.checkout_path = job.claim;
    progress.ended = now >= job.ended;
    if (progress.ended) progress.failed = job.failed;
    return progress;
  }

  void schedule_traces() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const auto& job = jobs_[i];
      if (!job.trace) continue;
      at(job.born + uniform(100, 30'000), [this, i](int64_t now) { open(i, now); });
      const auto flushed = std::min(job.closed, job.born + uniform(10'000, 3'000'000));
      at(flushed + uniform(0, 20'000), [this, i](int64_t now) { progress(i, now); });
      at(job.closed + uniform(1'000, 50'000), [this, i](int64_t now) { close(i, now); });
    }
  }

  void open(std::size_t i, int64_t now) {
    held_.insert(i);
    if (tracker_) tracker_->on_trace_opened(*jobs_[i].trace, kRunner, {now}, i + 1);
  }
  void progress(std::size_t i, int64_t now) {
    flushed_.insert(i);
    if (tracker_ && held_.contains(i))
      tracker_->on_trace_progress(*jobs_[i].trace, progress_of(jobs_[i], now));
  }
  void close(std::size_t i, int64_t now) {
    closed_.insert(i);
    flushed_.insert(i);
    if (!tracker_ || !held_.contains(i)) return;
    tracker_->on_trace_progress(*jobs_[i].trace, progress_of(jobs_[i], now));
    tracker_->on_trace_closed(*jobs_[i].trace, {now}, unlinked(i), jobs_[i].sum);
  }

  std::optional<UnixMicros> unlinked(std::size_t i) const {
    return o_.unlink_known ? std::optional(UnixMicros{jobs_[i].closed + kUtc}) : std::nullopt;
  }

  void schedule_samples() {
    int64_t end = 0;
    for (const auto& job : jobs_) end = std::max(end, job.closed);
    for (int64_t t = kStart + 300'000; t < end + 2 * kSample; t += kSample)
      at(t, [this](int64_t now) { sample(now); });
    // Long after: every limit has run out.
    for (int64_t t = end; t < end + 1'200'000'000; t += 500'000) at(t, [](int64_t) {});
  }

  void sample(int64_t now) {
    if (!tracker_) return;
    std::vector<ProcessSample> all;
    for (const auto& job : jobs_)
      for (const auto& stage : job.stages) {
        if (now < stage.from || now > stage.until) continue;
        ProcessSample root;
        root.id = root.root = stage.root;
        root.runner = root.parent = kRunner;
        root.cwd = stage.cwd;
        ProcessSample child = root;
        child.id = {stage.root.pid + 100'000, stage.root.start_ticks};
        child.claimed_job = stage.claim;
        all.push_back(root);
        all.push_back(child);
        if (now + kSample <= stage.until && stage.cwd.starts_with("/builds"))
          lasting_.insert(job.ref);
      }
    tracker_->on_processes(all, {now});
  }

  void schedule_restarts() {
    for (int i = 0; i < o_.restarts; ++i) {
      const auto when = kStart + uniform(100'000, o_.spread_us + o_.longest_us);
      at(when, [this, when](int64_t) {
        if (tracker_) {
          saved_ = tracker_->save();
          went_ = when;
        }
        tracker_.reset();
        ++down_;
      });
      at(when + uniform(200'000, 3'000'000), [this](int64_t now) {
        if (--down_ == 0) come_back(went_, now);
      });
    }
  }

  void come_back(int64_t went, int64_t now) {
    tracker_ = std::make_unique<Tracker>();
    if (!tracker_->restore(saved_).ok())
      outcome_.wrong.push_back("the tracker does not read its own state");
    std::vector<std::size_t> held(held_.begin(), held_.end());
    std::sort(held.begin(), held.end(),
              [&](auto a, auto b) { return jobs_[a].born < jobs_[b].born; });
    for (const auto i : held) {
      tracker_->on_trace_opened(*jobs_[i].trace, kRunner, {now}, i + 1);
      if (flushed_.contains(i))
        tracker_->on_trace_progress(*jobs_[i].trace, progress_of(jobs_[i], now));
      if (closed_.contains(i))
        tracker_->on_trace_closed(*jobs_[i].trace, {now}, unlinked(i), jobs_[i].sum);
    }
    for (const auto& line : std::exchange(waiting_, {}))
      tell(line, now, now - went + o_.log_latency_us);
  }

  void play() {
    tracker_ = std::make_unique<Tracker>();
    while (!events_.empty()) {
      auto event = events_.top();
      events_.pop();
      event.act(event.when);
      if (!tracker_) continue;
      for (const auto& started : tracker_->take_started()) (void)started;
      for (const auto& done : tracker_->take_finished({event.when})) judge(done);
      for (const auto& id : tracker_->take_orphaned_traces({event.when})) release(id);
    }
  }

  void release(const TraceId& id) {
    std::erase_if(held_, [&](auto i) { return jobs_[i].trace == id; });
  }

  static std::string without_digits(std::string text) {
    std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text;
  }

  const SimJob& owner_of(const ProcessId& root) const {
    return *std::find_if(jobs_.begin(), jobs_.end(), [&](const SimJob& job) {
      return std::any_of(job.stages.begin(), job.stages.end(),
                         [&](const Stage& stage) { return stage.root == root; });
    });
  }

  bool same_text(const TraceId& trace, const SimJob& job) const {
    return std::any_of(jobs_.begin(), jobs_.end(), [&](const SimJob& other) {
      return other.trace == trace && other.sum == job.sum;
    });
  }

  // Two liars of one project that exchange their places can exchange their own usage.
  static bool of_one_plot(const SimJob& a, const SimJob& b) {
    return a.liar && b.liar && a.entry == b.entry && a.project == b.project;
  }

  void judge(const FinishedJob& done) {
    const auto& job = jobs_[static_cast<std::size_t>(done.ref.job_id - 1000)];
    const auto name = "job " + std::to_string(done.ref.job_id);
    if (!reported_.insert(done.ref).second) outcome_.wrong.push_back(name + " was reported twice");
    ++outcome_.finished;
    if (done.trace) {
      ++outcome_.with_trace;
      // The same text under the other's name is the same log.
      if (done.trace != job.trace && !same_text(*done.trace, job))
        outcome_.wrong.push_back(name + " got the log of another job");
      release(*done.trace);
    } else {
      ++outcome_.trace_reasons[without_digits(done.trace_reason)];
      if (done.trace_reason.empty()) outcome_.wrong.push_back(name + " has no log and no reason");
    }
    for (const auto& root : done.trees)
      if (const auto& owner = owner_of(root); owner.ref != job.ref && !of_one_plot(owner, job))
        outcome_.wrong.push_back(name + " got a process tree of another job: pid " +
                                 std::to_string(root.pid));
    if (!done.trees.empty()) ++outcome_.with_trees;
    if (done.trees.empty() && lasting_.contains(done.ref))
      ++outcome_.usage_reasons[without_digits(done.usage_reason)];
  }

  void judge_missing() {
    for (const auto& job : jobs_) {
      const bool nameless = o_.lose_announcement > 0 && o_.lose_end > 0;
      const bool invisible = o_.lose_end > 0 && (!job.trace || o_.lose_trace > 0);
      if (!reported_.contains(job.ref) && !nameless && !invisible)
        outcome_.wrong.push_back("job " + std::to_string(job.ref.job_id) + " was never reported");
    }
  }

  struct Event {
    int64_t when;
    uint64_t sequence;
    Act act;
    bool operator<(const Event& other) const {
      return std::pair(when, sequence) > std::pair(other.when, other.sequence);
    }
  };

  const Options o_;
  std::mt19937_64 random_;
  std::vector<SimJob> jobs_;
  std::priority_queue<Event> events_;
  uint64_t sequence_ = 0, order_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::string saved_;
  int down_ = 0;      // restarts under way
  int64_t went_ = 0;  // when the agent went away
  std::vector<Line> lines_, waiting_;
  std::set<std::size_t> held_, flushed_, closed_;
  std::set<JobRef> reported_, lasting_;
  Outcome outcome_;
};

}  // namespace

Outcome run(const Options& options) {
  return World(options).run();
}

}  // namespace gitaiops::agent::simulation
