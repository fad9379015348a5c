#include <cstring>
#include <string>
#include <vector>

#include "core/crc32c.h"
#include "faults/fault_env.h"
#include "storage/log.h"
#include "test.h"

namespace {

using hopspan::CorruptIndexError;
using hopspan::VersionError;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using namespace hopspan::storage;

constexpr LogName kName = {11, 22};
constexpr std::uint64_t kFirst = 7;

std::string payload_of(std::size_t size, int salt) {
  std::string payload(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    payload[i] = static_cast<char>('a' + (i * 7 + static_cast<std::size_t>(salt)) % 26);
  return payload;
}

struct Written {
  Bytes bytes;
  std::vector<std::uint64_t> ends;  // of the records
  std::vector<std::string> payloads;
};

// synced: what each record says was on the device when it was written.
Written write_log(const std::vector<std::size_t>& sizes, const std::vector<std::uint64_t>& synced,
                  LogName name = kName) {
  FaultEnv env;
  Written written;
  LogWriter log(env, "log", name, kFirst);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string payload = payload_of(sizes[i], static_cast<int>(i));
    const std::size_t half = payload.size() / 2;
    log.append(static_cast<std::uint8_t>(i + 1),
               {{payload.data(), half}, {payload.data() + half, payload.size() - half}}, synced[i]);
    written.ends.push_back(log.end());
    written.payloads.push_back(payload);
  }
  written.bytes = env.bytes("log");
  return written;
}

std::shared_ptr<const RandomAccessFile> file_of(const Bytes& bytes) {
  return std::make_shared<MemoryFile>("the log", bytes.data(), bytes.size());
}

// The payloads that can be read.
std::vector<std::string> read_log(const Bytes& bytes, std::uint64_t synced = kLogHeaderBytes) {
  LogReader reader(file_of(bytes), kName, kFirst, synced);
  std::vector<std::string> payloads;
  while (const auto record = reader.next()) {
    CHECK_EQUAL(record->sequence, kFirst + payloads.size());
    CHECK_EQUAL(static_cast<std::size_t>(record->type), payloads.size() + 1);
    payloads.emplace_back(reinterpret_cast<const char*>(record->payload), record->size);
  }
  CHECK_EQUAL(reader.next_sequence(), kFirst + payloads.size());
  return payloads;
}

bool refused(const Bytes& bytes, std::uint64_t synced) {
  try {
    read_log(bytes, synced);
  } catch (const CorruptIndexError&) {
    return true;
  } catch (const VersionError&) {
    return true;
  }
  return false;
}

const std::vector<std::size_t> kSizes = {5, 0, 16, 1};

}  // namespace

TEST(log_gives_back_what_was_appended) {
  const std::vector<std::size_t> sizes = {0, 1, 7, 8, 9, 65536, 65537, 200000, 3};
  const Written written = write_log(sizes, std::vector<std::uint64_t>(sizes.size(), 0));
  CHECK(read_log(written.bytes) == written.payloads);
  CHECK_EQUAL(written.ends.back(), written.bytes.size());
  CHECK(read_log(written.bytes, written.bytes.size()) == written.payloads);
  CHECK(read_log(write_log({}, {}).bytes).empty());
}

TEST(log_notices_every_flipped_bit_of_what_was_synced) {
  Written written = write_log(kSizes, {0, 0, 0, 0});
  for (std::size_t bit = 0; bit < 8 * written.bytes.size(); ++bit) {
    written.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    CHECK(refused(written.bytes, written.bytes.size()));
    written.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t size = 0; size < written.bytes.size(); ++size) {
    const Bytes cut(written.bytes.begin(), written.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(refused(cut, written.bytes.size()));
  }
}

TEST(log_ends_where_what_was_not_synced_is_broken) {
  Written written = write_log(kSizes, {0, 0, 0, 0});
  const auto whole_before = [&](std::size_t offset) {
    std::size_t whole = 0;
    while (whole < written.ends.size() && written.ends[whole] <= offset) ++whole;
    return whole;
  };
  for (std::size_t at = kLogHeaderBytes; at < written.bytes.size(); ++at) {
    written.bytes[at] ^= std::byte{0x10};
    CHECK_EQUAL(read_log(written.bytes).size(), whole_before(at));
    written.bytes[at] ^= std::byte{0x10};
    const Bytes cut(written.bytes.begin(), written.bytes.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK_EQUAL(read_log(cut).size(), whole_before(at));
  }
}

// The last record was written after a sync of the first two: these are damaged, the third may be torn.
TEST(log_tells_damage_from_a_torn_tail_by_what_later_records_knew) {
  const std::uint64_t two = write_log(kSizes, {0, 0, 0, 0}).ends[1];
  Written written = write_log(kSizes, {0, 0, 0, two});
  for (std::size_t at = kLogHeaderBytes; at < written.bytes.size(); ++at) {
    written.bytes[at] ^= std::byte{0x10};
    if (at < two) {
      CHECK_THROWS(CorruptIndexError, "is damaged: the first", read_log(written.bytes));
    } else {
      CHECK(read_log(written.bytes).size() < 4);
    }
    written.bytes[at] ^= std::byte{0x10};
  }
}

TEST(log_looks_for_later_records_beyond_a_large_gap) {
  Written written = write_log({200000, 300000, 5}, {0, 0, 200104});
  CHECK_EQUAL(written.ends[0], 200104u);
  std::memset(written.bytes.data() + 150000, 0, 300000);
  CHECK_THROWS(CorruptIndexError, "record 7 at offset 64", read_log(written.bytes));
}

TEST(log_refuses_records_of_other_places_and_logs) {
  const Written one = write_log({8, 8, 8}, {0, 0, 0}), other = write_log({8, 8, 8}, {0, 0, 0}, {11, 23});
  const std::size_t size = one.ends[1] - one.ends[0];
  Bytes swapped = one.bytes;
  std::memcpy(swapped.data() + one.ends[0], one.bytes.data() + one.ends[1], size);
  CHECK_EQUAL(read_log(swapped).size(), 1u);
  swapped = one.bytes;
  std::memcpy(swapped.data() + one.ends[0], other.bytes.data() + one.ends[0], size);
  CHECK_EQUAL(read_log(swapped).size(), 1u);
  CHECK_THROWS(CorruptIndexError, "belongs to another index", read_log(other.bytes));
}

TEST(log_of_a_newer_version_is_refused_by_name) {
  Bytes bytes = write_log({}, {}).bytes;
  bytes[8] = std::byte{2};
  CHECK_THROWS(CorruptIndexError, "header is damaged", read_log(bytes));
  const std::uint32_t checksum = hopspan::core::crc32c(bytes.data(), kLogHeaderBytes - 4);
  std::memcpy(bytes.data() + kLogHeaderBytes - 4, &checksum, 4);
  CHECK_THROWS(VersionError, "log format version 2", read_log(bytes));
}

TEST(log_reader_goes_on_where_another_stopped) {
  const Written written = write_log(kSizes, {0, 0, 0, 0});
  LogReader first(file_of(written.bytes), kName, kFirst, 0);
  first.next(), first.next();
  LogReader second(file_of(written.bytes), kName, kFirst, 0);
  second.resume(first.offset(), first.next_sequence());
  CHECK_EQUAL(second.next()->sequence, kFirst + 2);
}

TEST(log_writer_cuts_back_a_record_that_failed_and_goes_on) {
  FaultEnv env;
  LogWriter log(env, "log", kName, kFirst);
  log.append(1, {{"one", 3}}, 0);
  env.fail_at(env.operations(), 28);
  CHECK_THROWS(hopspan::IoError, "write", log.append(2, {{"twice", 5}}, 0));
  CHECK(env.bytes("log").size() > log.end());
  log.cut_back();
  CHECK_EQUAL(env.bytes("log").size(), log.end());
  log.append(2, {{"two", 3}}, 0);
  CHECK_EQUAL(read_log(env.bytes("log")).at(1), "two");
  log.close();
  LogWriter more(env, "log", kName, log.next_sequence(), log.end());
  more.append(3, {{"three", 5}}, 0);
  CHECK_EQUAL(read_log(env.bytes("log")).at(2), "three");
}
