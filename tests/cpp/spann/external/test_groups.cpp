#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "core/random.h"
#include "faults/fault_env.h"
#include "spann/external/groups.h"
#include "spann/lists/format.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::IoError;
using hopspan::core::random_u64;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::spann::Copies;
using hopspan::spann::kReplica;
using hopspan::spann::external::Groups;

namespace {

constexpr std::size_t kVectors = 1000;
constexpr std::size_t kRow = 24;

Bytes row_of(std::uint32_t vector) {
  Bytes row(kRow);
  for (std::size_t i = 0; i < kRow; ++i) row[i] = static_cast<std::byte>(random_u64(vector, i));
  return row;
}

// Each vector in one list, every third in a second one; list 5 is empty.
Copies make_copies(std::size_t lists) {
  Copies copies(lists);
  for (std::uint32_t v = 0; v < kVectors; ++v) {
    std::size_t list = random_u64(1, v) % lists;
    if (list == 5) list = 6;
    copies[list].push_back(v);
    if (v % 3 == 0 && list != lists - 1) copies[lists - 1].push_back(v | kReplica);
  }
  return copies;
}

void fill(Groups& groups) {
  for (std::uint32_t first = 0; first < kVectors; first += 30) {
    const std::uint32_t end = std::min<std::uint32_t>(first + 30, kVectors);
    Bytes rows;
    for (std::uint32_t v = first; v < end; ++v) {
      const Bytes row = row_of(v);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    groups.add(first, end - first, rows.data());
  }
  groups.close();
}

}  // namespace

TEST(groups_give_each_list_its_rows_in_the_order_of_its_copies) {
  for (const std::size_t group_bytes : {1, 2000, 1000000}) {
    FaultEnv env;
    const Copies copies = make_copies(20);
    Groups groups(env, "work", kRow, copies, static_cast<std::size_t>(group_bytes));
    fill(groups);
    std::size_t next = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Groups::Loaded loaded = groups.load(g);
      CHECK_EQUAL(loaded.first_list(), next);
      for (; next < loaded.end_list(); ++next) {
        for (std::size_t i = 0; i < copies[next].size(); ++i) {
          const Bytes row = row_of(hopspan::spann::slot_of(copies[next][i]));
          CHECK(std::memcmp(loaded.rows(next) + i * kRow, row.data(), kRow) == 0);
        }
      }
    }
    CHECK_EQUAL(next, copies.size());
    if (group_bytes == 1000000) CHECK_EQUAL(groups.size(), 1u);
    if (group_bytes == 2000) CHECK(groups.size() > 8);
  }
}

TEST(groups_take_their_files_away_and_replace_old_ones) {
  FaultEnv env;
  env.put("work0", Bytes(10));
  const Copies copies = make_copies(20);
  {
    Groups groups(env, "work", kRow, copies, 2000);
    fill(groups);
    groups.load(0);
    CHECK_EQUAL(env.names().size(), groups.size());
  }
  CHECK(env.names().empty());
}

TEST(groups_on_a_full_disk_leave_nothing) {
  const Copies copies = make_copies(20);
  std::size_t failed = 0;
  for (std::size_t operation = 0;; ++operation) {
    FaultEnv env;
    env.fail_at(operation, ENOSPC);
    try {
      Groups groups(env, "work", kRow, copies, 8000);
      fill(groups);
    } catch (const IoError&) {
      ++failed;
      CHECK(env.names().empty());
    }
    CHECK(env.names().size() <= 1);  // a removal that fails leaves its file
    if (env.operations() <= operation) break;
  }
  CHECK(failed > 10);
}

// Planted bug that turns it red: no checksum.
TEST(groups_notice_a_file_that_has_changed) {
  const Copies copies = make_copies(20);
  FaultEnv env;
  Groups groups(env, "work", kRow, copies, 100000);
  fill(groups);
  const Bytes good = env.bytes("work0");
  for (std::size_t at = 0; at < good.size(); at += 97) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    env.put("work0", bad);
    CHECK_THROWS(CorruptIndexError, "work0", groups.load(0));
  }
  env.put("work0", Bytes(good.begin(), good.end() - 1));
  CHECK_THROWS(CorruptIndexError, "work0", groups.load(0));
  env.put("work0", good);
  groups.load(0);
}
