// Any bytes as the log, or the manifest, of a folder: either an error of the library, or an index that can be read,
// written to, closed, and opened again with what was added.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "durable/changes.h"
#include "durable/folder.h"
#include "durable/reader.h"
#include "durable/writer.h"
#include "faults/fault_env.h"
#include "index/results.h"
#include "storage/log_format.h"

using namespace hopspan;
using namespace hopspan::test;
using faults::Bytes;
using faults::FaultEnv;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr storage::LogName kName = {0x1234, 1};
constexpr const char* kFolder = "there/index";

void require(bool condition) {
  if (!condition) std::abort();
}

OpenOptions alone() {
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  options.threads = 1;
  return options;
}

// A folder with a snapshot of three vectors and an empty log.
struct Folder {
  Folder() {
    FaultEnv env;
    env.put("there/index/lock", {});
    durable::Manifest manifest;
    manifest.folder = kName.folder;
    manifest.generation = manifest.snapshot = manifest.log = kName.number;
    manifest.log_synced = storage::kLogHeaderBytes;
    index::Store store(options_for(Kind::kHnsw, 3));
    store.add(make_vectors(DType::kFloat32, 3, 3, 1).view(), nullptr, {});
    store.save(env, durable::snapshot_path(kFolder, 1));
    durable::describe_snapshot(env, kFolder, manifest);
    durable::write_manifest(env, kFolder, manifest);
    storage::LogWriter(env, durable::log_path(kFolder, 1), kName, 0);
    snapshot = env.bytes(durable::snapshot_path(kFolder, 1));
    manifest_bytes = env.bytes(durable::manifest_path(kFolder));
    log = env.bytes(durable::log_path(kFolder, 1));
  }

  void put(FaultEnv& env) const {
    env.put("there/index/lock", {});
    env.put(durable::snapshot_path(kFolder, 1), snapshot);
    env.put(durable::manifest_path(kFolder), manifest_bytes);
    env.put(durable::log_path(kFolder, 1), log);
  }

  Bytes snapshot, manifest_bytes, log;
};

const Folder& folder() {
  static const Folder made;
  return made;
}

Bytes small_log(std::uint64_t seed) {
  FaultEnv env;
  storage::GroupLog log(storage::LogWriter(env, "log", kName, 0), 0);
  for (std::uint64_t i = 0; i < seed % 5; ++i) {
    const Vectors data = make_vectors(DType::kFloat32, 1 + (seed + i) % 3, 3, seed + i);
    std::vector<std::int64_t> ids;
    const std::uint64_t first = 1 + (seed >> (4 * i)) % 8;
    for (std::size_t row = 0; row < data.rows; ++row) ids.push_back(static_cast<std::int64_t>(first + row));
    const bool adds = (seed >> (8 + i)) % 3 != 0;
    const std::uint64_t sequence =
        adds ? durable::log_add(log, data.view(), ids.data()) : durable::log_remove(log, ids.data(), ids.size());
    if ((seed >> i) % 3 == 0) durable::log_void(log, sequence);
  }
  return env.bytes("log");
}

// Right checksums and numbers for as many records as the sizes lead to.
void seal_log(std::byte* bytes, std::size_t size) {
  if (size < storage::kLogHeaderBytes) return;
  std::memcpy(bytes, folder().log.data(), storage::kLogHeaderBytes);
  std::uint64_t sequence = 0;
  for (std::size_t at = storage::kLogHeaderBytes; size - at >= storage::kRecordHeaderBytes; ++sequence) {
    std::byte* header = bytes + at;
    std::uint64_t payload;
    std::memcpy(&payload, header + 24, 8);
    const std::size_t room = size - at - storage::kRecordHeaderBytes;
    if (payload > room || payload + storage::record_padding(payload) > room) return;
    payload += storage::record_padding(payload);
    const std::uint32_t sum = core::crc32c(header + storage::kRecordHeaderBytes, payload);
    std::memcpy(header + 4, &sum, 4);
    std::memcpy(header + 8, &sequence, 8);
    const std::uint32_t own = storage::record_checksum(kName, at, header);
    std::memcpy(header, &own, 4);
    at += storage::kRecordHeaderBytes + payload;
  }
}

template <typename Use>
bool refused(Use&& use) {
  try {
    use();
    return false;
  } catch (const Error&) {
    return true;
  }
}

void open_and_use(FaultEnv& env) {
  const bool unreadable = refused([&] { durable::Reader(env, kFolder, 1).check(true); });
  const Vectors some = make_vectors(DType::kFloat32, 2, 3, 9);
  std::vector<std::int64_t> ids;
  const bool unwritable = refused([&] {
    durable::Writer writer(env, kFolder, alone(), std::chrono::milliseconds(0));
    if (refused([&] { ids = writer.add(some.view(), nullptr, {}); })) return;  // the largest id is taken
    const std::int64_t gone[] = {1, 2};
    writer.remove(gone, 2, {});
    writer.add(some.slice(0, 1), gone, {});
    search(writer, some.view(), with_ef(3, 20));
    writer.check(true);
    writer.compact();
    writer.close();
  });
  require(unreadable == unwritable);
  if (unwritable || ids.empty()) return;
  const durable::Reader again(env, kFolder, 1);
  require(again.contains(ids[0]) && again.contains(ids[1]) && again.contains(1) && !again.contains(2));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size < storage::kLogHeaderBytes) {
    const Bytes start = small_log(seed);
    if (start.size() <= max_size) {
      std::memcpy(data, start.data(), start.size());
      return start.size();
    }
  }
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 != 0) seal_log(reinterpret_cast<std::byte*>(data), size);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::byte* begin = reinterpret_cast<const std::byte*>(data);
  FaultEnv env;
  folder().put(env);
  env.put(durable::log_path(kFolder, 1), Bytes(begin, begin + size));
  open_and_use(env);
  FaultEnv other;
  folder().put(other);
  other.put(durable::manifest_path(kFolder), Bytes(begin, begin + size));
  refused([&] { durable::Writer(other, kFolder, alone(), std::chrono::milliseconds(0)).close(); });
  return 0;
}
