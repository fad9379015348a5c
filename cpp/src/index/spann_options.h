// The options of an index of kind "spann" as the lists' builder takes them.
#pragma once

#include "hopspan/options.h"
#include "spann/build.h"

namespace hopspan::index {

inline spann::BuildOptions spann_options(const IndexOptions& index, std::size_t threads) {
  const SpannOptions& given = index.spann;
  spann::BuildOptions options;
  options.metric = index.metric;
  options.list_bytes = given.list_bytes;
  options.data_heads = given.data_heads;
  options.replicas.rule = given.closure == Closure::kRng ? spann::ReplicaRule::kRng : spann::ReplicaRule::kSoar;
  options.replicas.most = given.replicas;
  options.replicas.ratio = given.closure_ratio;
  options.replicas.nearest = given.closure_heads;
  options.seed = index.seed;
  options.threads = threads;
  return options;
}

}  // namespace hopspan::index
