// The steps of a beam search for instruction sets that cannot compress and expand registers; included like kernels.inl,
// and bound by the same rules.

namespace {

std::size_t unseen(const std::uint32_t* row, std::size_t width, std::size_t size, SeenTable seen,
                   std::uint32_t* nodes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < width && row[i] != 0xFFFFFFFFu; ++i) {
    const std::uint32_t node = row[i] & 0x7FFFFFFFu;
    if (node >= size) return kBadLink;
    std::uint32_t& entry = seen.nodes[(node * kSeenFactor) >> seen.shift];
    nodes[count] = node;
    count += entry != node ? 1 : 0;
    entry = node;
  }
  return count;
}

std::size_t keys_below(const float* distances, const std::uint32_t* nodes, std::size_t count, std::uint64_t limit,
                       std::uint64_t* keys) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t key = make_key(distances[i], nodes[i]);
    keys[found] = key;
    found += key < limit ? 1 : 0;
  }
  return found;
}

// Puts the keys in order and drops those that come twice; returns how many are left.
HOPSPAN_ALWAYS_INLINE std::size_t order(std::uint64_t* keys, std::size_t count) {
  std::size_t ordered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t key = keys[i];
    std::size_t at = ordered;
    for (; at > 0 && keys[at - 1] > key; --at) keys[at] = keys[at - 1];
    if (at > 0 && keys[at - 1] == key) {
      for (; at < ordered; ++at) keys[at] = keys[at + 1];
      continue;
    }
    keys[at] = key;
    ++ordered;
  }
  return ordered;
}

// From the last key to the first, into the room behind the last.
Merged merge(std::uint64_t* keys, std::size_t size, std::uint64_t* fresh, std::size_t count) {
  std::size_t left = order(fresh, count);
  std::size_t old = size, end = size + left, first = end;
  while (left != 0 && old != 0) {
    const std::uint64_t mine = keys[old - 1], theirs = fresh[left - 1];
    if (same_node(mine, theirs)) {
      for (std::size_t i = old + left; i < end; ++i) keys[i - 1] = keys[i];
      --left;
      --end;
      --first;
      continue;
    }
    const bool keeps = mine > theirs;
    const std::size_t place = old + left - 1;
    keys[place] = keeps ? mine : theirs;
    first = keeps ? first : place;
    old -= keeps ? 1 : 0;
    left -= keeps ? 0 : 1;
  }
  for (std::size_t i = 0; i < left; ++i) keys[i] = fresh[i];
  return {end, left == 0 ? first : 0};
}

}  // namespace

constexpr BeamTable beam_table = {kIsa, unseen, keys_below, merge};
