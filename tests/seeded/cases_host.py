"""Failures of the network, of remote services and of the host: made by local servers, by a small file
system and by limits."""
from seeded import Case


def network():
    gone = "files.ring.invalid"
    for name, command, tool in (
            ("curl", "curl -fsS http://%s/x" % gone, "curl"), ("wget", "wget -T2 -t1 http://%s/x" % gone, "wget"),
            ("git", "git clone http://%s/ring.git" % gone, "git"), ("ssh", "ssh -o BatchMode=yes git@%s true" % gone, "ssh"),
            ("python", "python3 -c 'import urllib.request as u; u.urlopen(\"http://%s/\")'" % gone, "python3"),
            ("node", "node -e 'fetch(\"http://%s/\").catch(e => { console.error(e); process.exit(1) })'" % gone, "node"),
            ("node-http", "node -e 'require(\"http\").get(\"http://%s/\")'" % gone, "node"),
            ("psql", "psql -h %s -c 'select 1'" % gone, "psql"), ("npm", "npm install --registry http://%s/ left-ring" % gone, "npm"),
            ("pip", "python3 -m pip install --index-url https://%s/simple ringlib" % gone, "pip"),
            ("go", "GOPROXY=http://%s go install example.org/ring@latest" % gone, "go"), ("perl", "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"%s:80\") or die \"$@\"'" % gone, "perl")):
        yield Case("dns", name, command, needs=(tool,))
    for name, command, tool in (
            ("curl-refused", "curl -fsS http://@CLOSED@/x", "curl"), ("wget-refused", "wget -T2 -t1 http://@CLOSED@/x", "wget"),
            ("python-refused", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@CLOSED@/\")'", "python3"),
            ("pip-refused", "python3 -m pip download --index-url http://@CLOSED@/simple ringlib", "pip"),
            ("npm-refused", "npm install --registry http://@CLOSED@/ left-ring", "npm"),
            ("curl-reset", "curl -fsS http://@RESET@/x", "curl"), ("wget-reset", "wget -T2 -t1 http://@RESET@/x", "wget"),
            ("python-reset", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@RESET@/\")'", "python3"),
            ("node-reset", "node -e 'require(\"http\").get(\"http://@RESET@/\")'", "node"),
            ("npm-reset", "npm install --registry http://@RESET@/ left-ring", "npm"),
            ("go-refused", "GOPROXY=http://@CLOSED@ go install example.org/ring@latest", "go")):
        yield Case("net_conn", name, command, needs=(tool,))
    for name, command, tool in (
            ("git-refused", "git clone http://@CLOSED@/ring.git", "git"), ("git-reset", "git clone http://@RESET@/ring.git", "git"),
            ("git-502", "git clone http://@HTTP@/502/ring.git", "git"), ("git-503", "git clone http://@HTTP@/503/ring.git", "git"),
            ("git-empty", "git ls-remote http://@RESET@/ring.git", "git"), ("git-fetch", "git init -q . && git fetch http://@HTTP@/500/ring.git", "git"),
            ("git-submodule", "git init -q . && git submodule add http://@HTTP@/504/part.git", "git"), ("ssh-refused", "GIT_SSH_COMMAND='ssh -p $(echo @CLOSED@ | cut -d: -f2)' git clone git@127.0.0.1:ring.git", "ssh")):
        yield Case("git_transient", name, command, needs=(tool,))
    for name, command, tool in (
            ("curl-expired", "curl -fsS --cacert @EXPIREDCERT@ https://@EXPIRED@/", "curl"), ("curl-self", "curl -fsS https://@SELFSIGNED@/", "curl"),
            ("wget-self", "wget -T3 -t1 https://@SELFSIGNED@/", "wget"), ("git-self", "git clone https://@SELFSIGNED@/ring.git", "git"),
            ("python-self", "python3 -c 'import urllib.request as u; u.urlopen(\"https://@SELFSIGNED@/\")'", "python3"),
            ("node-self", "node -e 'require(\"https\").get(\"https://@SELFSIGNED@/\")'", "node"), ("npm-self", "npm install --registry https://@SELFSIGNED@/ left-ring", "npm"),
            ("pip-self", "python3 -m pip download --index-url https://@SELFSIGNED@/simple ringlib", "pip"), ("go-self", "GOPROXY=https://@SELFSIGNED@ go install example.org/ring@latest", "go"),
            ("openssl", "openssl s_client -connect @SELFSIGNED@ -verify_return_error < /dev/null", "openssl"), ("curl-plain", "curl -fsS https://@HTTP@/", "curl")):
        yield Case("tls_cert", name, command, needs=(tool,))
    for name, command, tool in (
            ("curl", "curl -fsS -m 1 http://@HTTP@/hang/", "curl"), ("wget", "wget -T1 -t1 http://@HANG@/x", "wget"), ("curl-connect", "curl -fsS -m 1 http://@HANG@/", "curl"),
            ("python", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@HANG@/\", timeout=1)'", "python3"), ("pip", "python3 -m pip --timeout 1 download --index-url http://@HANG@/simple ringlib", "pip"),
            ("python-socket", "python3 -c 'import socket; s = socket.create_connection((\"127.0.0.1\", int(\"@HANG@\".split(\":\")[1])), 1); s.recv(1)'", "python3")):
        yield Case("remote_timeout", name, command, needs=(tool,))
    for code in (500, 502, 503, 504):
        yield Case("http_5xx", "curl-%d" % code, "curl -fsS http://@HTTP@/%d/x" % code, needs=("curl",))
        yield Case("http_5xx", "wget-%d" % code, "wget -t1 http://@HTTP@/%d/x" % code, needs=("wget",))
    for name, command, tool in (("python-502", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@HTTP@/502/\")'", "python3"),
                                ("npm-503", "npm install --registry http://@HTTP@/503/ left-ring", "npm"), ("pip-502", "python3 -m pip download http://@HTTP@/502/ring-1.tar.gz", "pip"),
                                ("go-500", "GOPROXY=http://@HTTP@/500 go install example.org/ring@latest", "go")):
        yield Case("http_5xx", name, command, needs=(tool,))
    for name, command, tool in (("curl", "curl -fsS http://@HTTP@/404/x", "curl"), ("wget", "wget -t1 http://@HTTP@/404/x", "wget"), ("curl-410", "curl -fsS http://@HTTP@/410/x", "curl"),
                                ("python", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@HTTP@/404/\")'", "python3"), ("pip", "python3 -m pip download http://@HTTP@/404/ring-1.tar.gz", "pip"),
                                ("wget-410", "wget -t1 http://@HTTP@/410/x", "wget")):
        yield Case("http_4xx", name, command, needs=(tool,))
    for name, command, tool in (("curl-401", "curl -fsS http://@HTTP@/401/x", "curl"), ("curl-403", "curl -fsS http://@HTTP@/403/x", "curl"), ("wget-401", "wget -t1 http://@HTTP@/401/x", "wget"),
                                ("wget-403", "wget -t1 http://@HTTP@/403/x", "wget"), ("git-401", "git clone http://@HTTP@/401/ring.git", "git"), ("git-403", "git clone http://@HTTP@/403/ring.git", "git"),
                                ("npm-401", "npm install --registry http://@HTTP@/401/ left-ring", "npm"), ("npm-403", "npm install --registry http://@HTTP@/403/ left-ring", "npm"),
                                ("python-403", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@HTTP@/403/\")'", "python3"), ("git-user", "git clone http://a:b@@HTTP@/401/ring.git", "git")):
        yield Case("auth_failed", name, command, needs=(tool,))
    for name, command, tool in (("curl", "curl -fsS http://@HTTP@/429/x", "curl"), ("wget", "wget -t1 http://@HTTP@/429/x", "wget"), ("python", "python3 -c 'import urllib.request as u; u.urlopen(\"http://@HTTP@/429/\")'", "python3"),
                                ("npm", "npm install --registry http://@HTTP@/429/ left-ring", "npm"), ("pip", "python3 -m pip download http://@HTTP@/429/ring-1.tar.gz", "pip")):
        yield Case("rate_limited", name, command, needs=(tool,))
    for name, command, tool in (("psql", "psql -h 127.0.0.1 -p $(echo @CLOSED@ | cut -d: -f2) -c 'select 1'", "psql"), ("psql-socket", "psql -h /tmp/no-such-socket -c 'select 1'", "psql"),
                                ("wait", "for i in 1 2; do (echo > /dev/tcp/$(echo @CLOSED@ | tr : /)) 2> /dev/null || echo 'waiting for postgres ...'; done; echo 'Timed out waiting for service postgres:5432'; exit 1", "bash"),
                                ("python-redis", "python3 -c 'import socket\ntry: socket.create_connection((\"127.0.0.1\", 1))\nexcept OSError as e: raise SystemExit(\"redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. %s.\" % e)'", "python3")):
        yield Case("service_unready", name, command, needs=(tool,))
    for name, command in (("ps", "docker -H unix:///var/run/no-such-docker.sock ps"), ("build", "docker -H tcp://@CLOSED@ build ."), ("pull", "docker -H unix:///var/run/no-such-docker.sock pull alpine:3"),
                          ("run", "docker -H tcp://@CLOSED@ run alpine true"), ("login", "docker -H unix:///nowhere/docker.sock info")):
        yield Case("docker_daemon", name, command, {"Dockerfile": "FROM alpine\n"}, needs=("docker",))


def host():
    mount = "here=$PWD; mkdir -p small && mount -t tmpfs -o size=64k none small && trap 'cd /; umount -l $here/small' EXIT && "
    for name, command, tool in (("cp", "head -c 1M /dev/zero > big && cp big small/", "cp"), ("dd", "dd if=/dev/zero of=small/big bs=1k count=200", "dd"), ("tar", "head -c 1M /dev/urandom > big && tar cf small/a.tar big", "tar"),
                                ("python", "python3 -c 'open(\"small/a\", \"wb\").write(bytes(1 << 20))'", "python3"), ("git", "head -c 1M /dev/urandom > big; git init -q . && git add big && mkdir -p small/objects && cp .git/objects/*/* small/objects/", "git"),
                                ("gcc", "echo 'int a[65536] = {1}; int main(void){return 0;}' > a.c && gcc -g a.c -o small/a", "gcc"), ("node", "node -e 'require(\"fs\").writeFileSync(\"small/a\", Buffer.alloc(1 << 20))'", "node"),
                                ("gzip", "head -c 1M /dev/urandom | gzip > small/a.gz", "gzip"), ("unzip", "python3 -c 'import zipfile; zipfile.ZipFile(\"a.zip\", \"w\").writestr(\"a\", bytes(1 << 20))' && unzip -o a.zip -d small", "unzip"),
                                ("sqlite", "sqlite3 small/a.db 'create table a as with recursive n(i) as (select 1 union all select i+1 from n limit 20000) select i, hex(randomblob(20)) from n'", "sqlite3"), ("echo", "head -c 100k /dev/zero | tr '\\0' x > small/a", "tr")):
        yield Case("disk_full", name, mount + command, needs=(tool, "mount"), root=True)
    limit = "ulimit -v 400000; "
    for name, command, tool in (("python", limit + "python3 -c 'a = bytearray(1 << 30)'", "python3"), ("perl", limit + "perl -e '$a = \"x\" x (1 << 30)'", "perl"),
                                ("g++", "g++ a.cpp -o a && " + limit + "./a", "g++"), ("node", "node --max-old-space-size=20 -e 'const a = []; for (;;) a.push(new Array(1000).fill(1))'", "node"),
                                ("java", "javac A.java && java -Xmx16m A", "javac"), ("killed", "bash -c 'kill -9 $$; true'", "bash"), ("killed-child", "python3 -c 'import os; os.kill(os.getpid(), 9)'", "python3"),
                                ("killed-make", "make", "make"), ("git", "git init -q . && head -c 300M /dev/zero > big && ulimit -v 200000 && git add big", "git")):
        yield Case("oom_killed", name, command, {"a.cpp": "#include <vector>\nint main() { std::vector<char> a(1u << 30, 'x'); return a[7]; }\n",
                                                 "Makefile": "all:\n\t@sh -c 'kill -9 $$$$'\n",
                                                 "A.java": "class A { public static void main(String[] a) { java.util.List<long[]> l = new java.util.ArrayList<>(); for (;;) l.add(new long[100000]); } }\n"}, needs=(tool,))
    for name, command, tool in (("python", "ulimit -n 20; python3 -c 'a = [open(\"/dev/null\") for _ in range(100)]'", "python3"), ("node", "ulimit -n 30; node -e 'const fs = require(\"fs\"); for (;;) fs.openSync(\"/dev/null\")'", "node"),
                                ("perl", "ulimit -n 20; perl -e 'for (1..99) { open($h[$_], \"/dev/null\") or die \"open: $!\" }'", "perl"),
                                ("threads", "python3 -c 'import threading, resource, time\nresource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2)\nfor _ in range(400): threading.Thread(target=time.sleep, args=(2,)).start()'", "python3"),
                                ("fork", "setpriv --reuid=65534 --clear-groups bash -c 'ulimit -u 1; (true) ; ls | cat'", "setpriv"), ("cat", "ulimit -n 4; cat /etc/hosts /etc/hosts | (exec 3< /etc/hosts 4< /etc/hosts; cat)", "cat")):
        yield Case("resource_limit", name, command, needs=(tool,), root=name == "fork")
    for name, command in (("timeout", "timeout 1 sleep 20"), ("timeout-verbose", "timeout -v 1 sleep 20"), ("make", "printf 'all:\\n\\ttimeout -v 1 sleep 20\\n' > Makefile; make")):
        yield Case("job_timeout", name, command, needs=("timeout", "make"))


CASES = [case for group in (network, host) for case in group()]
