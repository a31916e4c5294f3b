#pragma once
// What the server keeps of a connection and of the request on it. Included by .cpp files of this folder only.

#include <microhttpd.h>

#include <memory>
#include <optional>
#include <string>

#include "node/http/body_stream.h"
#include "node/http/message.h"

namespace zell {

/// streaming: all that a stream has is sent, and its connection is suspended until there is more.
enum class ConnectionStage { receiving_head, receiving_body, waiting, sending, streaming };

/// One request and its answer; owned by libmicrohttpd through its con_cls from the head to the end of the answer.
struct ActiveRequest {
  std::shared_ptr<HttpRequest> request = std::make_shared<HttpRequest>();
  ExchangePtr exchange;
  std::optional<HttpResponse> response;
  std::shared_ptr<BodyStream> stream;  ///< while its answer is one
  std::size_t discarded_bytes = 0, response_bytes = 0;
  bool suspended = false, gone = false;
  bool head_only = false;  ///< HEAD: answered like GET, without the body
};

struct HttpConnection {
  MHD_Connection* mhd = nullptr;
  int fd = -1;
  ConnectionStage stage = ConnectionStage::receiving_head;
  std::uint64_t since_ms = 0;  ///< start of the stage, or of the last piece of a stream, by uv_now
  bool over_limit = false;
  ActiveRequest* active = nullptr;
};

/// A header of the request, empty if it is not there.
[[nodiscard]] std::string header(MHD_Connection* connection, const char* name);
/// A Content-Type without its parameters, lower case.
[[nodiscard]] std::string media_type(std::string value);
/// Decodes %XX of a path or a parameter in place; returns the new length. A %00 stays as it is: a C string would end
/// there, and what follows would go unseen.
[[nodiscard]] std::size_t unescape(void*, MHD_Connection*, char* text);
/// For suspended connections, which libmicrohttpd does not poll.
[[nodiscard]] bool client_left(const HttpConnection& connection);

}  // namespace zell
