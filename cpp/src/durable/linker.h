// Links what is pending in a store, some at a time, beside whatever else is done with it.
#pragma once

#include <cstddef>
#include <memory>

#include "durable/background.h"
#include "index/store.h"

namespace hopspan::durable {

// One step of it, and how long to wait for the next one.
Background::Pause link_some(index::Store& store, const AddOptions& options);

// linker: what does it for this store so far, or null; what does it from now on is returned. Where little is pending,
// that stays so.
std::shared_ptr<Background> link_on(std::shared_ptr<Background> linker, const std::shared_ptr<index::Store>& store,
                                    std::size_t threads);

}  // namespace hopspan::durable
