#include "node/runtime/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "tests/unit/runtime/loop_fixture.h"

namespace zell {
namespace {

/// A blocking client; the server runs on the test's loop, on another thread while a client talks.
class Client {
 public:
  explicit Client(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  [[nodiscard]] bool connected() const { return connected_; }
  void say(std::string_view text) { (void)!send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  /// Up to the next newline, or to the end of the connection.
  [[nodiscard]] std::string hear() {
    std::string out;
    char c = 0;
    while (recv(fd_, &c, 1, 0) == 1 && c != '\n') out.push_back(c);
    return out;
  }
  [[nodiscard]] bool ended() {
    char c = 0;
    return recv(fd_, &c, 1, 0) <= 0;
  }

 private:
  int fd_;
  bool connected_ = false;
};

struct Fixture {
  TestLoop loop;
  TestFolder folder;
  ControlOptions options{folder.path() / "run" / "n1.sock", 10'000};
  std::unique_ptr<ControlServer> server;
  std::vector<std::string> commands;

  void start() {
    auto started = ControlServer::start(loop, options, [this](std::string_view command) -> Result<std::string> {
      commands.emplace_back(command);
      if (command == "fail") return Error{"cannot", "it can't", "do this"};
      return std::string("{\"view\":3}");
    });
    if (!started.ok()) FAIL(started.error().what);
    server = std::move(*started);
  }
  void stop() {
    bool closed = false;
    server->close([&] { closed = true; });
    REQUIRE(loop.run_until([&] { return closed; }));
    server.reset();
  }
  /// Runs `talk` on a thread of its own beside the loop.
  void with_clients(const std::function<void()>& talk) {
    std::atomic<bool> done = false;
    std::thread thread([&] {
      talk();
      done = true;
    });
    uv_timer_t tick;  // wakes the loop to look at `done`
    uv_timer_init(loop.get(), &tick);
    uv_timer_start(&tick, [](uv_timer_t*) {}, 5, 5);
    bool in_time = loop.run_until([&] { return done.load(); });
    uv_close(reinterpret_cast<uv_handle_t*>(&tick), nullptr);
    thread.join();
    uv_run(loop.get(), UV_RUN_NOWAIT);
    CHECK(in_time);
  }
};

}  // namespace

TEST_CASE("the control socket answers each line with a line, and only its owner may use it") {
  Fixture fixture;
  fixture.start();
  struct stat status{};
  REQUIRE(stat(fixture.options.socket.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(stat(fixture.options.socket.parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  std::vector<std::string> answers;
  fixture.with_clients([&] {
    Client client(fixture.options.socket);
    client.say("{\"command\":\"status\"}\n{\"command\":\"fail\"}\n");
    answers.push_back(client.hear());
    answers.push_back(client.hear());
    client.say("{\"comm");
    client.say("and\":\"status\"}\n");
    answers.push_back(client.hear());
  });
  REQUIRE(answers.size() == 3);
  CHECK(answers[0] == R"({"ok":true,"view":3})");
  CHECK(answers[1] == R"({"error":{"code":"cannot","hint":"do this","reason":"it can't"},"ok":false})");
  CHECK(answers[2] == answers[0]);
  CHECK(fixture.commands == std::vector<std::string>{"status", "fail", "status"});
  fixture.stop();
  CHECK_FALSE(std::filesystem::exists(fixture.options.socket));
}

TEST_CASE("garbage on the control socket is answered with what is wrong, and runs nothing") {
  Fixture fixture;
  fixture.start();
  std::vector<std::string> lines = {"hello",
                                    "{}",
                                    "[]",
                                    "{\"command\":5}",
                                    "{\"command\":\"a\",\"more\":1}",
                                    "\xff\x00\x01",
                                    "{\"command\":",
                                    std::string(4'000, '[')};
  std::vector<std::string> answers;
  fixture.with_clients([&] {
    Client client(fixture.options.socket);
    for (const auto& line : lines) {
      client.say(line + "\n");
      answers.push_back(client.hear());
    }
  });
  REQUIRE(answers.size() == lines.size());
  for (const auto& answer : answers) CHECK(answer.find("\"code\":\"bad-command\"") != std::string::npos);
  CHECK(fixture.commands.empty());
  fixture.stop();
}

TEST_CASE("a line over its bound ends the connection, with or without a newline") {
  Fixture fixture;
  fixture.start();
  std::string endless, with_newline;
  bool ended = false;
  fixture.with_clients([&] {
    Client client(fixture.options.socket);
    client.say(std::string(max_control_line_bytes + 1, 'x'));
    endless = client.hear();
    ended = client.ended();
    Client other(fixture.options.socket);
    other.say(std::string(max_control_line_bytes + 1, 'x') + "\n");
    with_newline = other.hear();
  });
  CHECK(endless.find("\"code\":\"too-long\"") != std::string::npos);
  CHECK(ended);
  CHECK(with_newline.find("\"code\":\"too-long\"") != std::string::npos);
  fixture.stop();
}

TEST_CASE("a client that sends no whole line is closed in time; others are served meanwhile") {
  Fixture fixture;
  fixture.options.idle_timeout_ms = 100;
  fixture.start();
  std::string answer;
  bool ended = false;
  fixture.with_clients([&] {
    Client slow(fixture.options.socket);
    slow.say("{\"com");
    Client quick(fixture.options.socket);
    quick.say("{\"command\":\"status\"}\n");
    answer = quick.hear();
    ended = slow.ended();
  });
  CHECK(answer == R"({"ok":true,"view":3})");
  CHECK(ended);
  fixture.stop();
}

TEST_CASE("more control connections than the bound are closed at once; the others live on") {
  Fixture fixture;
  fixture.start();
  std::size_t refused = 0;
  std::string answer;
  fixture.with_clients([&] {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < max_control_connections; ++i) {
      clients.push_back(std::make_unique<Client>(fixture.options.socket));
      clients.back()->say("{\"command\":\"status\"}\n");
      (void)clients.back()->hear();
    }
    for (int i = 0; i < 3; ++i) refused += Client(fixture.options.socket).ended() ? 1 : 0;
    clients.front()->say("{\"command\":\"status\"}\n");
    answer = clients.front()->hear();
  });
  CHECK(refused == 3);
  CHECK(answer == R"({"ok":true,"view":3})");
  fixture.stop();
}

TEST_CASE("a client that leaves in the middle of a line or an answer does no harm") {
  Fixture fixture;
  fixture.start();
  fixture.with_clients([&] {
    for (int i = 0; i < 50; ++i) {
      Client client(fixture.options.socket);
      client.say(i % 2 ? "{\"command\":\"status\"}\n" : "{\"comm");
    }
  });
  fixture.stop();
}

TEST_CASE("a stale control socket is replaced; one where somebody listens, or another file, is not") {
  Fixture fixture;
  auto path = fixture.options.socket;
  std::filesystem::create_directories(path.parent_path());
  {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    close(fd);  // the file stays, as after SIGKILL
  }
  fixture.start();
  auto second = ControlServer::start(fixture.loop, fixture.options, [](std::string_view) { return std::string("{}"); });
  CHECK(second.error().code == "in-use");
  fixture.stop();
  std::ofstream(path) << "precious";
  auto third = ControlServer::start(fixture.loop, fixture.options, [](std::string_view) { return std::string("{}"); });
  CHECK(third.error().code == "in-use");
  CHECK(std::filesystem::is_regular_file(path));
}

TEST_CASE("a control path over 107 bytes, and a folder that others may write to, are refused") {
  Fixture fixture;
  auto handler = [](std::string_view) { return std::string("{}"); };
  ControlOptions options{fixture.folder.path() / std::string(100, 'x'), 10'000};
  auto error = ControlServer::start(fixture.loop, options, handler).error();
  CHECK(error.code == "bad-path");
  CHECK(error.what.find("107") != std::string::npos);
  auto open_folder = fixture.folder.path() / "open";
  std::filesystem::create_directory(open_folder);
  std::filesystem::permissions(open_folder, std::filesystem::perms::all);
  options.socket = open_folder / "n1.sock";
  CHECK(ControlServer::start(fixture.loop, options, handler).error().code == "too-open");
}

}  // namespace zell
