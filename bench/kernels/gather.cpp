// Nanoseconds a row of one query against random rows of a matrix that no cache holds, as graph search visits them:
// `many` in calls of a given size beside a plain loop over `one`.
// Usage: gather [rows a call] [megabytes]; HOPSPAN_ISA forces an instruction set.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/random.h"
#include "distance/kernels.h"
#include "hopspan/options.h"

namespace {

using namespace hopspan;

struct Gather {
  const core::Buffer& matrix;
  std::size_t dim;
  std::size_t stride;
  std::vector<std::uint32_t> slots;
  std::size_t per_call;
};

// The median over slices of the visits: other work on the machine spoils some of them.
template <typename F>
double nanoseconds_a_row(const Gather& gather, F&& call) {
  constexpr std::size_t kSlices = 64;
  const std::size_t calls = gather.slots.size() / gather.per_call / kSlices;
  const std::uint32_t* slots = gather.slots.data();
  std::vector<double> spent;
  for (std::size_t slice = 0; slice < kSlices; ++slice) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < calls; ++i, slots += gather.per_call) call(slots);
    spent.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(spent.begin(), spent.begin() + kSlices / 2, spent.end());
  return spent[kSlices / 2] / static_cast<double>(calls * gather.per_call);
}

void measure(const Gather& gather, Metric metric, DType dtype, const char* name) {
  const distance::Kernel kernel = distance::kernels().kernels[static_cast<int>(metric)][static_cast<int>(dtype)];
  const std::vector<float> query(gather.dim + 1, 0.5f);
  std::vector<float> out(gather.per_call);
  float total = 0;
  const double plain = nanoseconds_a_row(gather, [&](const std::uint32_t* slots) {
    for (std::size_t i = 0; i < gather.per_call; ++i)
      out[i] = kernel.one(query.data(), gather.matrix.data() + slots[i] * gather.stride, gather.dim);
    total += out[0];
  });
  const double many = nanoseconds_a_row(gather, [&](const std::uint32_t* slots) {
    kernel.many(query.data(), gather.matrix.data(), gather.stride, slots, gather.per_call, gather.dim, out.data());
    total += out[0];
  });
  std::printf("%-9s %4zu x %-12s %7.1f ns a row by one, %7.1f by many (%.1f GB/s)%s\n", distance::kernels().isa,
              gather.dim, name, plain, many, static_cast<double>(gather.stride) / many, total == 1.0f ? "!" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t per_call = argc > 1 ? std::stoul(argv[1]) : 16;
  core::Buffer matrix((argc > 2 ? std::stoul(argv[2]) : 512) << 20);
  for (std::size_t i = 0; i < matrix.size(); i += 8) {
    const std::uint64_t bits = core::random_u64(1, i) & 0x3B003B003B003B00;  // moderate whatever the dtype
    *reinterpret_cast<std::uint64_t*>(matrix.data() + i) = bits;
  }
  const auto run = [&](std::size_t dim, std::size_t element_bytes, Metric metric, DType dtype, const char* name) {
    Gather gather{matrix, dim, dim * element_bytes, {}, per_call};
    const std::size_t rows = matrix.size() / gather.stride;
    gather.slots.resize((std::size_t{1} << 28) / (gather.stride + 512) / per_call * per_call);
    for (std::size_t i = 0; i < gather.slots.size(); ++i)
      gather.slots[i] = static_cast<std::uint32_t>(core::random_u64(2, i) % rows);
    measure(gather, metric, dtype, name);
  };
  for (std::size_t dim : {50, 100, 128, 384, 960}) run(dim, 4, Metric::kL2, DType::kFloat32, "l2 float32");
  for (std::size_t dim : {100, 128, 960}) run(dim, 4, Metric::kIp, DType::kFloat32, "ip float32");
  for (std::size_t dim : {128, 960}) run(dim, 2, Metric::kIp, DType::kBFloat16, "ip bfloat16");
  for (std::size_t dim : {128, 960}) run(dim, 2, Metric::kL2, DType::kFloat16, "l2 float16");
  for (std::size_t dim : {128, 960}) run(dim, 1, Metric::kL2, DType::kUInt8, "l2 uint8");
}
