//===- ExamplesTest.cpp - The examples of ops build -----------------------===//
#include "nnc/IR/Examples.h"
#include "nnc/IR/OpTable.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;

static std::string errorOf(StringRef text) {
  MLIRContext context;
  llvm::Expected<Example> example = buildExample(context, text);
  return example ? "builds" : llvm::toString(example.takeError());
}

TEST(Examples, ofEveryOpBuildAndCallIt) {
  MLIRContext context;
  for (const OpInfo &op : getOpTable())
    for (const std::string &text : op.examples) {
      llvm::Expected<Example> example = buildExample(context, text);
      ASSERT_TRUE(bool(example)) << llvm::toString(example.takeError());
      EXPECT_EQ(example->getOp()->getName().getStringRef(), "nn." + op.name) << text;
    }
}

TEST(Examples, everyOpHasOne) {
  // These have regions, no arguments, or no results, which a call cannot write.
  const std::set<std::string> exempt = {"constant", "grad", "scan", "yield"};
  for (const OpInfo &op : getOpTable())
    EXPECT_TRUE(!op.examples.empty() || exempt.count(op.name)) << op.name;
}

TEST(Examples, argumentsAndRanges) {
  MLIRContext context;
  Example example = llvm::cantFail(
      buildExample(context, "(x: f64[N, 4] in 0.5..2, i: i64[2]) -> gather(x, i, axis = -1)"));
  EXPECT_EQ(typeToString(example.function.getArgumentTypes()[0]), "f64[N, 4]");
  EXPECT_EQ(typeToString(example.function.getResultTypes()[0]), "f64[N, 2]");
  EXPECT_EQ(example.inputs[0].low, 0.5);
  EXPECT_EQ(example.inputs[0].high, 2);
  EXPECT_EQ(example.inputs[1].high, 2);
  EXPECT_EQ(cast<nn::GatherOp>(example.getOp()).getAxis(), -1);
  EXPECT_EQ(example.function.getArgAttrOfType<StringAttr>(1, nn::nameAttr).getValue(), "i");
}

TEST(Examples, errors) {
  EXPECT_EQ(errorOf("(x: f99[3]) -> abs(x)"),
            "expected a dtype in the example `(x: f99[3]) -> abs(x)`, found `f99[3]) -> abs(x)`");
  EXPECT_EQ(errorOf("(x: f64) -> ab(x)"),
            "expected the name of an op in the example `(x: f64) -> ab(x)`, found `ab(x)`");
  EXPECT_EQ(errorOf("(x: f64) -> abs(x"),
            "expected `)` in the example `(x: f64) -> abs(x`, found its end");
  EXPECT_EQ(errorOf("(x: f64[2]) -> sum(x, axis = 1)"),
            "the example `(x: f64[2]) -> sum(x, axis = 1)`: 'sum' expects an axis from -1 to 0 for "
            "a tensor of rank 1, found 1");
}
