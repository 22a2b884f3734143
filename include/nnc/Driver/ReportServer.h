//===- ReportServer.h - The page of a running training ----------*- C++ -*-===//
//
// Serves a report on the loopback address, from threads of its own. The training hands over what is to
// be shown and goes on: it waits for no viewer, and the page is made when a viewer asks.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_REPORTSERVER_H
#define NNC_DRIVER_REPORTSERVER_H

#include "nnc/Plot/ReportPage.h"
#include "nnc/Support/Result.h"

#include <memory>

namespace nnc {

class ReportServer {
public:
  /// Serves on 127.0.0.1:`port` from now until the end of its life; 0 is any port that is free.
  static Result<std::unique_ptr<ReportServer>> start(int port, std::string title);
  ~ReportServer();

  int port() const;
  /// Whether somebody has asked within the last seconds, so that there is a reason to publish.
  bool isWatched() const;
  void publish(ReportPage page);

private:
  struct Shared;
  explicit ReportServer(std::unique_ptr<Shared> shared);
  std::unique_ptr<Shared> shared;
};

} // namespace nnc

#endif // NNC_DRIVER_REPORTSERVER_H
