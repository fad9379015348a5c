// What an index is made of and how one call behaves. The enumerators' values are part of the file format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace hopspan {

enum class Metric : std::uint8_t {
  kL2 = 0,       // squared Euclidean distance
  kIp = 1,       // 1 - <q, x>
  kCosine = 2,   // 1 - cos(q, x)
  kHamming = 3,  // number of differing bits; binary vectors only
};

// The stored element type. A binary vector of `dim` bits takes ceil(dim / 8) bytes, first bit highest (numpy.packbits).
enum class DType : std::uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kBFloat16 = 2,
  kInt8 = 3,
  kUInt8 = 4,
  kBinary = 5,
};

enum class Kind : std::uint8_t {
  kFlat = 0,   // exact
  kHnsw = 1,   // hierarchical navigable small world graph
  kSpann = 2,  // balanced lists of codes (SPANN)
};

// What a graph is walked on. Codes are small integers made of the rows; what they find is ranked again by the rows.
enum class CodeKind : std::uint8_t {
  kAuto = 0,  // what serves the rows best
  kNone = 1,  // the rows themselves
  kSq8 = 2,   // 8 bits for each dimension; rows of floats only
  kSq4 = 3,   // 4 bits, the same
};

// Where the vectors of a graph lie that is walked on codes. They are needed to rank what it finds, and for `get`.
enum class Place : std::uint8_t {
  kMemory = 0,
  kDisk = 1,  // in a temporary file, or in the file that the index was loaded from; rows of floats only
};

inline constexpr std::size_t kMaxDim = 65536;

// The paper's names (Malkov & Yashunin, 1603.09320): level 0 holds up to 2 M links a node, the levels above up to M.
struct HnswOptions {
  std::uint32_t M = 16;                  // 2..512
  std::uint32_t ef_construction = 200;   // M..65536
  bool extend_candidates = false;        // Alg. 4, extendCandidates
  bool keep_pruned_connections = false;  // Alg. 4, keepPrunedConnections
  CodeKind codes = CodeKind::kAuto;
  Place vectors = Place::kMemory;
};

// What options of a graph shall serve.
enum class Profile : std::uint8_t {
  kBalanced = 0,
  kFast = 1,     // a build in half the time
  kCompact = 2,  // little memory
};

inline HnswOptions options_of(Profile profile) {
  HnswOptions options;
  if (profile == Profile::kFast) options.ef_construction = 80;
  if (profile == Profile::kCompact) options.vectors = Place::kDisk;
  return options;
}

// Which lists a vector joins besides its nearest one.
enum class Closure : std::uint8_t {
  kRng = 0,   // SPANN: none whose head is nearer to a chosen head than to the vector
  kSoar = 1,  // SOAR: those in whose residual the error of the first list's is least likely to repeat
};

// Balanced lists (SPANN, 2111.08566; SOAR, 2404.00774).
struct SpannOptions {
  // How long a list gets: 256..1048576, or 0 for what serves: 24 KiB in memory, few pages on disk.
  std::uint32_t list_bytes = 0;
  // Lists a vector is in at most: 1..8, or 0 for what serves: 2 in memory, 8 on disk.
  std::uint32_t replicas = 0;
  Closure closure = Closure::kSoar;
  float closure_ratio = 1.2F;       // how many times as far as the nearest head another may be: 1..100
  std::uint32_t closure_heads = 8;  // nearest heads that are looked at: 1..1024, and replicas at least
  bool data_heads = false;          // heads are vectors of the data in place of means
};

struct IndexOptions {
  std::size_t dim = 0;  // 1..kMaxDim
  Metric metric = Metric::kL2;
  Kind kind = Kind::kHnsw;
  DType dtype = DType::kFloat32;
  std::uint64_t seed = 0;
  HnswOptions hnsw;
  SpannOptions spann;
};

// Called on the calling thread, at most about 20 times a second, with work done and work in all.
// An exception thrown from it cancels the call; the index stays as it was.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

// threads: 0 means every processor that this process may use.
struct AddOptions {
  std::size_t threads = 0;
  Progress progress;
};

// At most one of `ef` (hnsw; nodes to expand, in the mean of many queries), `nprobe` (spann) and `recall`; none means
// recall = 0.95. Flat indexes ignore them.
struct SearchOptions {
  std::size_t k = 10;
  std::optional<std::size_t> ef;
  std::optional<std::size_t> nprobe;  // lists
  std::optional<double> recall;
  std::size_t threads = 0;
  Progress progress;
};

struct TuneOptions {
  std::size_t k = 10;
  std::size_t threads = 0;
  Progress progress;
};

// map: use the file's pages in place of a copy. verify: check every checksum and every link before returning;
// without it only the header and the section table are checked. An index on disk has its pages checked whenever they
// are read, and everything else when it is opened; it keeps up to cache_bytes of pages in memory.
struct LoadOptions {
  bool map = true;
  bool verify = true;
  std::size_t cache_bytes = 0;
};

}  // namespace hopspan
