#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {

Error no_page_marker() {
  return {Code::invalid_argument, "this is no page marker of ours; start without one"};
}

Status check_size(const PageRequest& page) {
  if (page.limit == 0 || page.limit > kLargestPage)
    return Error(Code::invalid_argument,
                 "a page has 1 to " + std::to_string(kLargestPage) + " items");
  return {};
}

Result<int64_t> before_of(const PageRequest& page) {
  RETURN_IF_ERROR(check_size(page));
  if (page.after.empty()) return INT64_MAX;
  const auto number = parse_int(page.after);
  if (!number) return no_page_marker();
  return *number;
}

}  // namespace gitaiops::store
