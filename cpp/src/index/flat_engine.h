// The engine that compares a query with every row.
#pragma once

#include "index/engine.h"
#include "index/exact/search.h"
#include "index/id_map.h"
#include "vectors/matrix.h"

namespace hopspan::index {

class FlatEngine final : public Engine {
 public:
  FlatEngine(const vectors::Matrix& rows, const IdMap& id_map) : rows_(rows), id_map_(id_map), searcher_(rows) {}

  void insert(const Slots& added, const Slots&, const AddOptions&) override { searcher_.note_changed(added); }
  void keep(const Slots&) override { searcher_.note_dropped(); }
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override;
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override;
  void save(storage::ContainerWriter&) const override {}
  void load(const storage::ContainerReader&, bool) override {}
  Slots released() const override { return id_map_.holes(); }
  void describe(Stats&) const override {}
  void check(bool deep, CheckReport& report) const override;

 private:
  const vectors::Matrix& rows_;
  const IdMap& id_map_;
  exact::Searcher searcher_;
};

}  // namespace hopspan::index
