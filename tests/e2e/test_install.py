"""What is installed works without the sources: the program, and the client library for a project of its own."""

import os
import shutil
import subprocess
import unittest

from harness import PATIENCE, Case

BUILD = os.environ.get("ZELL_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))


class Install(Case):
    def call(self, *words, **more):
        done = subprocess.run(words, capture_output=True, text=True, timeout=5 * PATIENCE, **more)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_an_installed_client_library_builds_the_example_which_follows_a_cluster(self):
        prefix = f"{self.home}/prefix"
        self.call("cmake", "--install", BUILD, "--prefix", prefix)
        zell = f"{prefix}/bin/zell"
        self.assertIn("zell ", self.call(zell, "version", env=self.env))
        # A copy, as its README says: nothing of ours is beside it.
        shutil.copytree(f"{prefix}/share/doc/zell/examples/hello", f"{self.home}/hello")
        self.call("cmake", "-S", f"{self.home}/hello", "-B", f"{self.home}/hello/build", f"-DCMAKE_PREFIX_PATH={prefix}")
        self.call("cmake", "--build", f"{self.home}/hello/build")
        self.up("-n", "1")
        genesis = os.path.join(self.good("status", "--json").json()["folder"], "genesis.toml")
        index = self.good("submit", "--app", "counter", "add 5", "--json").json()["index"]
        self.assertEqual(self.call(f"{self.home}/hello/build/hello", genesis, "--until", str(index), env=self.env),
                         f"#{index}  count 5\n")


@unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "no dpkg-dev here: ./dev package installs it")
class Package(Case):
    def test_the_debian_package_names_its_libraries_and_holds_a_program_that_runs(self):
        done = subprocess.run(["cpack", "-G", "DEB", "--config", f"{BUILD}/CPackConfig.cmake", "-B", f"{self.home}/package"],
                              capture_output=True, text=True, timeout=5 * PATIENCE, cwd=self.home)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (package,) = [name for name in os.listdir(f"{self.home}/package") if name.endswith(".deb")]
        package = f"{self.home}/package/{package}"
        fields = subprocess.check_output(["dpkg-deb", "--field", package], text=True)
        for library in ("libuv1", "libsecp256k1-", "libsqlite3-0", "libmicrohttpd12", "libcurl4", "libssl3"):
            self.assertIn(library, fields)
        subprocess.check_call(["dpkg-deb", "--extract", package, f"{self.home}/root"])
        out = subprocess.check_output([f"{self.home}/root/usr/bin/zell", "version"], text=True, env=self.env)
        self.assertIn("zell ", out)


if __name__ == "__main__":
    unittest.main()
