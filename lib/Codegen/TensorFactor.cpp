//===- TensorFactor.cpp - A factor's part of a tile, copied at once -------===//
//
// Where a factor lies in memory as rows of places or of terms, at multiples of 16 bytes, a unit of its own copies a tile
// of it (TMA), to the lines that wgmma reads. The host describes the tensor: places, terms and what loops of the batch
// choose from. What a tile has beyond its end becomes 0.
//
//===----------------------------------------------------------------------===//
#include "GPU/TileFactor.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;

namespace nnc {

/// How far the iterations of `loops`, the last the fastest, are from each other in the source; none if not all are
/// equally far.
std::optional<int64_t> TileFactor::stepAlong(ArrayRef<unsigned> loops) const {
  SmallVector<int64_t> sizes = body.operation().getStaticLoopRanges();
  int64_t step = 0, next = 0;
  for (unsigned loop : llvm::reverse(loops)) {
    if (sizes[loop] == 1)
      continue;
    if (steps[loop] <= 0 || (step != 0 && steps[loop] != next))
      return std::nullopt;
    step = step == 0 ? steps[loop] : step;
    next = ShapedType::isDynamic(sizes[loop]) ? 0 : steps[loop] * sizes[loop];
  }
  return step == 0 ? std::nullopt : std::optional(step);
}

void TileFactor::findTensor() {
  /// Elements between neighbours that are copied, and axes that choose beside the two of a tile.
  constexpr int64_t kAligned = 8;
  constexpr size_t kMostBatchAxes = 2;
  if (!copied || element.getIntOrFloatBitWidth() != 16 || steps.empty() || begin != 0)
    return;
  std::optional<int64_t> placeStep = stepAlong(places), termStep = stepAlong(terms);
  if (!placeStep || !termStep || (termsInside ? *termStep : *placeStep) != 1 ||
      (termsInside ? *placeStep : *termStep) % kAligned != 0)
    return;
  Tensor found{*placeStep, *termStep, {}};
  for (auto [loop, step] : llvm::enumerate(steps)) {
    if (step == 0 || llvm::is_contained(places, loop) || llvm::is_contained(terms, loop))
      continue;
    if (step % kAligned != 0)
      return;
    found.batch.push_back({unsigned(loop), step});
  }
  if (found.batch.size() <= kMostBatchAxes)
    tensor = found;
}

/// The memory of one copy: lines of 128 bytes, all of a tile's places or some of its terms.
static MemRefType boxType(size_t numBatchAxes, int64_t lines, int64_t length, Type element,
                          MemRefLayoutAttrInterface layout = {}) {
  SmallVector<int64_t> shape(numBatchAxes, 1);
  shape.append({lines, length});
  auto space = gpu::AddressSpaceAttr::get(element.getContext(), gpu::AddressSpace::Workgroup);
  return MemRefType::get(shape, element, layout, space);
}

void TileFactor::mapTensor(OpBuilder &b) {
  SmallVector<OpFoldResult> sizes, strides;
  for (auto [loop, step] : tensor->batch) {
    sizes.push_back(body.sizesOf(loop).front());
    strides.push_back(b.getIndexAttr(step));
  }
  Value numPlacesInAll = multiply(b, loc, body.sizesOf(places)),
        numTermsInAll = multiply(b, loc, body.sizesOf(terms));
  sizes.append({numPlacesInAll, numTermsInAll});
  strides.append({b.getIndexAttr(tensor->placeStep), b.getIndexAttr(tensor->termStep)});
  if (!termsInside) {
    std::swap(sizes[sizes.size() - 1], sizes[sizes.size() - 2]);
    std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  }
  SmallVector<int64_t> knownStrides;
  for (OpFoldResult stride : strides)
    knownStrides.push_back(*getConstantIntValue(stride));
  auto type = MemRefType::get(SmallVector<int64_t>(sizes.size(), ShapedType::kDynamic), element,
                              StridedLayoutAttr::get(b.getContext(), 0, knownStrides));
  Value view = memref::ReinterpretCastOp::create(b, loc, type, source->get(), b.getIndexAttr(0),
                                                 sizes, strides);
  MemRefType box = boxType(tensor->batch.size(), groupLines(), lineLength, element);
  auto mapType = nvgpu::TensorMapDescriptorType::get(
      b.getContext(), box, nvgpu::TensorMapSwizzleKind::SWIZZLE_128B,
      nvgpu::TensorMapL2PromoKind::L2PROMO_128B, nvgpu::TensorMapOOBKind::OOB_ZERO,
      nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
  Value open = memref::CastOp::create(b, loc, UnrankedMemRefType::get(element, Attribute()), view);
  IndexMath math(b, loc);
  SmallVector<Value> sizesOfBox =
      llvm::map_to_vector(box.getShape(), [&](int64_t size) { return math.constant(size); });
  tensorMap = nvgpu::TmaCreateDescriptorOp::create(b, loc, mapType, open, sizesOfBox);
}

void TileFactor::placeTensor(OpBuilder &b, Value number, ArrayRef<Value> batchIndices) {
  first = IndexMath(b, loc).scale(number, numPlaces);
  batchPlace.clear();
  for (auto [loop, step] : tensor->batch)
    batchPlace.push_back(batchIndices[loop]);
}

void TileFactor::copyTensor(OpBuilder &b, Value firstTerm, Value stage, Value barriers) const {
  IndexMath math(b, loc);
  auto mapType = cast<nvgpu::TensorMapDescriptorType>(tensorMap.getType());
  ArrayRef<int64_t> box = mapType.getTensor().getShape();
  auto memory = cast<MemRefType>(shared.getType());
  for (int64_t group = 0; group < memory.getDimSize(1); ++group) {
    // Of the memory's stages and groups, as many axes as the tensor has.
    SmallVector<OpFoldResult> offsets = {stage, b.getIndexAttr(group), b.getIndexAttr(0),
                                         b.getIndexAttr(0)},
                              sizes = {b.getIndexAttr(1), b.getIndexAttr(1),
                                       b.getIndexAttr(groupLines()), b.getIndexAttr(lineLength)},
                              strides(4, b.getIndexAttr(1));
    auto type = cast<MemRefType>(
        memref::SubViewOp::inferRankReducedResultType(box, memory, offsets, sizes, strides));
    Value to = memref::SubViewOp::create(b, loc, type, shared, offsets, sizes, strides);
    // The fastest first.
    Value place = math.add(first, group * lineLength);
    SmallVector<Value> coordinates = {place, firstTerm};
    if (termsInside)
      std::swap(coordinates[0], coordinates[1]);
    llvm::append_range(coordinates, llvm::reverse(batchPlace));
    nvgpu::TmaAsyncLoadOp::create(b, loc, to, barriers, tensorMap, coordinates, stage,
                                  /*multicastMask=*/Value(), /*predicate=*/Value());
  }
}

} // namespace nnc
