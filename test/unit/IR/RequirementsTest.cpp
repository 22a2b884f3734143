//===- RequirementsTest.cpp - What sizes a function works for -------------===//
#include "nnc/IR/Requirements.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace nnc;

namespace {
class RequirementsTest : public testing::Test {
protected:
  Requirement make(llvm::StringRef text) {
    return {*Dim::parse(text), mlir::UnknownLoc::get(&context)};
  }
  mlir::MLIRContext context;
};
} // namespace

TEST_F(RequirementsTest, SaysWhichSizesItMeans) {
  EXPECT_EQ(make("N - 3").str(), "N >= 3");
  EXPECT_EQ(make("2*N - 3").str(), "N >= 2");
  EXPECT_EQ(make("5 - N").str(), "N <= 5");
  EXPECT_EQ(make("5 - 2*N").str(), "N <= 2");
  EXPECT_EQ(make("N*M - 1").str(), "M*N >= 1");
  EXPECT_EQ(make("N - M").str(), "-M + N >= 0");
}

TEST_F(RequirementsTest, ComplainsOnlyOfWhatIsKnown) {
  Requirement requirement = make("N - 3");
  EXPECT_EQ(requirement.complaint({{"N", Dim(3)}}), std::nullopt);
  EXPECT_EQ(requirement.complaint({{"M", Dim(1)}}), std::nullopt);
  EXPECT_EQ(requirement.complaint({{"N", Dim(2)}}), "needs N >= 3, found N = 2");
}
