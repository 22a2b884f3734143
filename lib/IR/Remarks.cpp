//===- Remarks.cpp - What a pass decided, and why -------------------------===//
#include "nnc/IR/Remarks.h"

using namespace mlir;

namespace nnc {
namespace {

class Collector : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Collector(std::shared_ptr<std::vector<PassRemark>> remarks)
      : collected(std::move(remarks)) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    PassRemark entry{remark.getLocation(), remark.getRemarkName().str(),
                     remark.getRemarkType() == llvm::remarks::Type::Passed, ""};
    for (const auto &part : remark.getArgs())
      entry.text += part.val;
    // Patterns look at an op again and again.
    bool isKnown = llvm::any_of(*collected, [&](const PassRemark &other) {
      return other.location == entry.location && other.pass == entry.pass &&
             other.text == entry.text;
    });
    if (!isKnown)
      collected->push_back(std::move(entry));
  }

private:
  std::shared_ptr<std::vector<PassRemark>> collected;
};

} // namespace

std::string lineText(Location location) {
  std::string text = "code of no line";
  location->walk([&](Location inner) {
    auto place = dyn_cast<FileLineColRange>(inner);
    if (!place)
      return WalkResult::advance();
    text = "line " + std::to_string(place.getStartLine());
    return WalkResult::interrupt();
  });
  return text;
}

RemarkListener::RemarkListener(MLIRContext &mlirContext)
    : context(mlirContext), collected(std::make_shared<std::vector<PassRemark>>()) {
  remark::RemarkCategories categories;
  categories.passed = "nnc";
  categories.missed = "nnc";
  (void)remark::enableOptimizationRemarks(context, std::make_unique<Collector>(collected),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(),
                                          categories);
}

RemarkListener::~RemarkListener() { context.setRemarkEngine(nullptr); }

} // namespace nnc
