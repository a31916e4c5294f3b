// zell prove: a document that shows, to whoever has the genesis file, that a request is final.

#include <charconv>

#include "cli/connect.h"
#include "cli/documents.h"
#include "cli/exit_codes.h"
#include "cli/output.h"
#include "cli/proof_commands.h"
#include "client/proof_documents.h"

namespace zell::cli {
namespace {

Result<ProvenRequest> prove_what(Client& client, const std::string& what) {
  if (const auto id = fixed_from_hex<RequestId>(what)) return client.prove(*id);
  std::uint64_t index = 0;
  const auto* end = what.data() + what.size();
  const auto [stop, failed] = std::from_chars(what.data(), end, index);
  if (failed != std::errc{} || stop != end || index == 0) {
    return Error{"bad-argument", "'" + what + "' is no index of the log (from 1), and no request id (0x and 64 digits)",
                 "zell prove 1"};
  }
  return client.prove(Index{index});
}

int prove(const Globals& globals, const std::string& what, const std::string& file) {
  auto connected = connect(globals);
  if (!connected) return fail(connected.error());
  auto proven = prove_what(connected->client, what);
  if (!proven) return fail(proven.error());
  const auto text = write_proof_document(*proven, SigningDomain::of(connected->client.genesis()));
  if (auto written = write_document(file, text); !written) return fail(written.error());
  if (file.empty() || file == "-") return done;
  hint("#" + std::to_string(proven->index.value) + " is proven in " + file + "; check it anywhere",
       "zell verify --proof " + file + " --genesis " + connected->cluster.paths.genesis().string());
  return done;
}

}  // namespace

void add_prove_command(Command root, const Globals& globals) {
  auto what = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  root.add("prove", "Write a proof that a request is final, which needs no node to be checked")
      .positional("INDEX|ID", *what, "An index of the log, or a request's id", true)
      .option("-o,--output", *file, "FILE", "Write it here instead of to stdout")
      .examples({"zell prove 1", "zell prove 1 -o proof.json", "zell prove 1 | zell verify --proof -"})
      .run([&globals, what, file] { return prove(globals, *what, *file); });
}

}  // namespace zell::cli
