#include "durable/linker.h"

#include <exception>
#include <utility>

namespace hopspan::durable {
namespace {

constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::milliseconds kAfterFailure{1000};

}  // namespace

Background::Pause link_some(index::Store& store, const AddOptions& options) {
  try {
    if (store.link_some(options)) return kAtOnce;
    return {};
  } catch (const std::exception&) {  // for want of memory, and then nothing has changed
    return kAfterFailure;
  }
}

std::shared_ptr<Background> link_on(std::shared_ptr<Background> linker, const std::shared_ptr<index::Store>& store,
                                    std::size_t threads) {
  if (store->pending() < index::Store::kLinkedTogether) return linker;
  if (linker != nullptr && linker->is_here()) {
    linker->wake();
    return linker;
  }
  return Background::start(kAtOnce,
                           [store, threads](const Progress& stop) { return link_some(*store, {threads, stop}); });
}

}  // namespace hopspan::durable
