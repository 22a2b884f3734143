//===- RulesTest.cpp - Every differentiable op has a rule -----------------===//
//
// ODS says which ops are differentiable; the rules are attached from outside. The two agree.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/IR/OpTable.h"

#include "gtest/gtest.h"

using namespace mlir;

TEST(Rules, EveryDifferentiableOpHasOne) {
  DialectRegistry registry;
  registry.insert<nnc::nn::NNDialect>();
  nnc::registerGradientModels(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  ASSERT_FALSE(nnc::getOpTable().empty());
  for (const nnc::OpInfo &op : nnc::getOpTable()) {
    OperationName name("nn." + op.name, &context);
    ASSERT_TRUE(name.isRegistered()) << op.name;
    EXPECT_EQ(name.hasInterface<nnc::GradientOpInterface>(), op.isDifferentiable) << op.name;
  }
}
