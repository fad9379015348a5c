// k-means with the balance term of SPANN: a point pays for the size of the cluster that it joins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hopspan::spann {

// out: the mean of the given points, dim floats; zeros when there are none.
void mean_of(const float* points, std::size_t dim, const std::uint32_t* members, std::size_t count, float* out);

// Lloyd's algorithm on one thread; meant for samples and few centres.
class BalancedMeans {
 public:
  // balance: how much a cluster twice the mean size costs, in mean distances of a point from its centre.
  BalancedMeans(const float* points, std::size_t count, std::size_t dim, double balance)
      : points_(points), count_(count), dim_(dim), balance_(balance), labels_(count, 0) {}

  // Moves the centres; the last round leaves the balance out.
  void run(std::size_t rounds, std::vector<float>& centers);

 private:
  bool assign(const std::vector<float>& centers, double balance);
  void update(std::vector<float>& centers) const;

  const float* points_;
  std::size_t count_;
  std::size_t dim_;
  double balance_;
  std::vector<std::uint32_t> labels_;
  std::vector<std::size_t> sizes_;
  double mean_distance_ = 0.0;
};

}  // namespace hopspan::spann
