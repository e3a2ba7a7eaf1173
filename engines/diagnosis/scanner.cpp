#include "engines/diagnosis/scanner.h"

#include <cstdlib>

namespace gitaiops::diagnosis {
namespace {

struct ScanContext {
  const std::vector<Hit>* meanings;
  OnHit on_hit;
  void* context;
};

int forward(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  const auto* scan = static_cast<const ScanContext*>(context);
  Hit hit = (*scan->meanings)[id];
  hit.end = static_cast<std::size_t>(to);
  scan->on_hit(scan->context, hit);
  return 0;
}

}  // namespace

Result<std::unique_ptr<Scanner>> Scanner::compile(std::vector<Expression> expressions,
                                                  Target target) {
  auto scanner = std::make_unique<Scanner>();
  if (expressions.empty()) return scanner;
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const auto& e : expressions) {
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(e.text.c_str());
  }
  const std::vector<unsigned> flags(texts.size(), HS_FLAG_MULTILINE);
  const hs_platform_info_t plain{};  // no features beyond what the library itself needs
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(texts.size()),
                       HS_MODE_BLOCK, target == Target::anywhere ? &plain : nullptr,
                       &scanner->database_, &error) != HS_SUCCESS) {
    Error result(Code::internal, std::string("compiling the rules: ") + error->message);
    hs_free_compile_error(error);
    return result;
  }
  RETURN_IF_ERROR(scanner->prepare(std::move(expressions)));
  return scanner;
}

Result<std::unique_ptr<Scanner>> Scanner::from_bytes(std::vector<Expression> expressions,
                                                     std::string_view bytes) {
  auto scanner = std::make_unique<Scanner>();
  if (hs_deserialize_database(bytes.data(), bytes.size(), &scanner->database_) != HS_SUCCESS)
    return Error(Code::invalid_argument, "rules compiled for another library or processor");
  RETURN_IF_ERROR(scanner->prepare(std::move(expressions)));
  return scanner;
}

Status Scanner::prepare(std::vector<Expression> expressions) {
  for (const auto& e : expressions) meanings_.push_back(e.meaning);
  if (hs_alloc_scratch(database_, &prototype_) != HS_SUCCESS)
    return Error(Code::resource_exhausted, "no memory to scan with");
  return {};
}

Scanner::~Scanner() {
  for (hs_scratch_t* scratch : idle_) hs_free_scratch(scratch);
  if (prototype_) hs_free_scratch(prototype_);
  if (database_) hs_free_database(database_);
}

Result<std::string> Scanner::serialized() const {
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database_, &bytes, &size) != HS_SUCCESS)
    return Error(Code::internal, "the rules cannot be written as bytes");
  std::string out(bytes, size);
  std::free(bytes);
  return out;
}

void Scanner::scan(std::string_view text, OnHit on_hit, void* context) const {
  if (!database_) return;
  hs_scratch_t* scratch = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      scratch = idle_.back();
      idle_.pop_back();
    }
  }
  if (!scratch && hs_clone_scratch(prototype_, &scratch) != HS_SUCCESS) return;
  ScanContext scan{&meanings_, on_hit, context};
  hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch, forward, &scan);
  const std::lock_guard lock(mutex_);
  idle_.push_back(scratch);
}

}  // namespace gitaiops::diagnosis
