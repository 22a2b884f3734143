//===- ReportServer.cpp - The page of a running training ------------------===//
//
// "/" is the page, "/body" its content anew. A viewer that reads slowly keeps one of the server's few
// threads for a second at most.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/ReportServer.h"

#include "nnc/Support/File.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <httplib.h>
#include <mutex>
#include <thread>

namespace nnc {

static int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct ReportServer::Shared {
  static constexpr int64_t watchedFor = 5000;

  httplib::Server server;
  std::thread thread;
  std::string title;
  int port = 0;
  std::atomic<int64_t> asked{-watchedFor};
  std::mutex mutex;
  std::shared_ptr<const ReportPage> page = std::make_shared<ReportPage>();

  std::string body() {
    asked = now();
    std::shared_ptr<const ReportPage> shown;
    {
      std::lock_guard<std::mutex> lock(mutex);
      shown = page;
    }
    return renderReportBody(*shown);
  }

  void configure();
};

/// A page of another origin may not read this one through a name that it has made point here.
static bool isLocalHost(const httplib::Request &request) {
  std::string host = request.get_header_value("Host");
  host = host.substr(0, host.rfind(':'));
  return host == "127.0.0.1" || host == "localhost";
}

void ReportServer::Shared::configure() {
  server.new_task_queue = [] { return new httplib::ThreadPool(4); };
  server.set_keep_alive_max_count(1);
  server.set_read_timeout(1);
  server.set_write_timeout(1);
  // The library would share the port with another process.
  server.set_socket_options([](socket_t socket) {
    int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_pre_routing_handler([](const httplib::Request &request, httplib::Response &response) {
    if (isLocalHost(request))
      return httplib::Server::HandlerResponse::Unhandled;
    response.status = 403;
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Get("/", [this](const httplib::Request &, httplib::Response &response) {
    response.set_content(renderReportPage(title, body(), /*isLive=*/true),
                         "text/html; charset=utf-8");
  });
  server.Get("/body", [this](const httplib::Request &, httplib::Response &response) {
    response.set_content(body(), "text/html; charset=utf-8");
  });
}

Result<std::unique_ptr<ReportServer>> ReportServer::start(int port, std::string title) {
  auto shared = std::make_unique<Shared>();
  shared->title = std::move(title);
  shared->configure();
  errno = 0;
  if (port == 0)
    shared->port = shared->server.bind_to_any_port("127.0.0.1");
  else
    shared->port = shared->server.bind_to_port("127.0.0.1", port) ? port : -1;
  if (shared->port <= 0)
    return Error::plain(fmt::format("cannot serve on 127.0.0.1:{}: {}", port,
                                    systemReason(errno ? errno : EADDRINUSE)));
  Shared *state = shared.get();
  shared->thread = std::thread([state] { state->server.listen_after_bind(); });
  while (!shared->server.is_running())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return std::unique_ptr<ReportServer>(new ReportServer(std::move(shared)));
}

ReportServer::ReportServer(std::unique_ptr<Shared> state) : shared(std::move(state)) {}

ReportServer::~ReportServer() {
  shared->server.stop();
  shared->thread.join();
}

int ReportServer::port() const { return shared->port; }

bool ReportServer::isWatched() const { return now() - shared->asked < Shared::watchedFor; }

void ReportServer::publish(ReportPage page) {
  auto next = std::make_shared<const ReportPage>(std::move(page));
  std::lock_guard<std::mutex> lock(shared->mutex);
  shared->page.swap(next);
}

} // namespace nnc
