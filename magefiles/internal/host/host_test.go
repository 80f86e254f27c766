package host_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/host"
	"github.com/foopack/foopack/magefiles/internal/host/hosttest"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }

// machine starts an engine behind an ssh server, and returns both along with an SSH in which the server is called "vm".
func machine(t *testing.T) (*localengine.Engine, *hosttest.Server, host.SSH) {
	t.Helper()
	e, err := localengine.Start(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	s := hosttest.Start(t, e.Socket)
	return e, s, reach(hosttest.Config(t, map[string]*hosttest.Server{"vm": s}))
}

func reach(config string) host.SSH {
	env, _ := command.Withhold(os.Environ(), host.Passed...)
	return host.SSH{Runner: command.NewSystem(os.Environ(), nil), Env: env, Config: config}
}

// edit replaces text in an ssh_config.
func edit(t *testing.T, config, old, text string) {
	t.Helper()
	was, err := os.ReadFile(config)
	require.NoError(t, err)
	require.Contains(t, string(was), old)
	require.NoError(t, os.WriteFile(config, []byte(strings.ReplaceAll(string(was), old, text)), 0o600))
}

// refused checks that an error has the given cause, and a next step.
func refused(t *testing.T, err error, cause host.Cause) {
	t.Helper()
	require.ErrorIs(t, err, cause, "%+v", err)
	require.NotEmpty(t, operr.NextOf(err))
}

func TestConnect(t *testing.T) {
	e, _, ssh := machine(t)
	e.Offer(localengine.Image{Ref: "registry.example/app@" + localengine.Digest("1")})
	ctx := t.Context()
	h, err := ssh.Connect(ctx, "vm", "")
	require.NoError(t, err)
	require.Equal(t, engine.Version{Engine: "20.10.24", API: "1.41", OS: "linux", Arch: "amd64"}, h.Version)
	require.NoError(t, h.Engine.Pull(ctx, "registry.example/app@"+localengine.Digest("1"), engine.Login{}))
	id, err := h.Engine.Create(ctx, engine.Spec{Image: "registry.example/app@" + localengine.Digest("1")})
	require.NoError(t, err)
	require.NoError(t, h.Engine.Start(ctx, id))
	big := strings.Repeat("0123456789abcdef", 1<<15)
	r, err := h.Engine.Exec(ctx, id, []string{"sh", "-c", "cat; echo said >&2; exit 3"}, strings.NewReader(big))
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stdout: big, Stderr: "said\n", Exit: 3}, r)
	h.Close()
	_, err = h.Engine.Ping(ctx)
	require.ErrorIs(t, err, engine.Unreachable)
	require.ErrorIs(t, err, host.Lost)
}

// If an established connection is lost, the error has its own cause.
func TestLost(t *testing.T) {
	_, s, ssh := machine(t)
	h, err := ssh.Connect(t.Context(), "vm", "")
	require.NoError(t, err)
	defer h.Close()
	s.Close()
	require.Eventually(t, func() bool {
		_, err = h.Engine.Ping(t.Context())
		require.ErrorIs(t, err, engine.Unreachable)
		return operr.NextOf(err) != ""
	}, 10*time.Second, 10*time.Millisecond)
	refused(t, err, host.Lost)
	_, err = ssh.Connect(t.Context(), "vm", "")
	refused(t, err, host.Refused)
}

// When the context is canceled, the connection is closed, and its files are removed.
func TestStopped(t *testing.T) {
	_, _, ssh := machine(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	h, err := ssh.Connect(ctx, "vm", "")
	require.NoError(t, err)
	stop()
	h.Close()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "deploy-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = ssh.Connect(ctx, "vm", "")
	require.ErrorIs(t, err, context.Canceled)
}

func TestCausesOfFailedConnections(t *testing.T) {
	ctx := t.Context()
	try := func(ssh host.SSH, address, socket string) error {
		h, err := ssh.Connect(ctx, address, socket)
		if err == nil {
			h.Close()
		}
		return err
	}
	t.Run("forwarding forbidden", func(t *testing.T) {
		e, s, ssh := machine(t)
		s.Forbid(true)
		refused(t, try(ssh, "vm", e.Socket), host.Forbidden)
	})
	t.Run("no socket", func(t *testing.T) {
		_, _, ssh := machine(t)
		refused(t, try(ssh, "vm", "/no/such/docker.sock"), host.NoSocket)
	})
	t.Run("no engine", func(t *testing.T) {
		e, _, ssh := machine(t)
		name := filepath.Join(filepath.Dir(e.Socket), "idle")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		require.NoError(t, err)
		l.SetUnlinkOnClose(false)
		require.NoError(t, l.Close())
		refused(t, try(ssh, "vm", name), host.NoEngine)
	})
	t.Run("no right", func(t *testing.T) {
		e, s, ssh := machine(t)
		require.NoError(t, os.Chmod(filepath.Dir(e.Socket), 0o711))
		mode := os.FileMode(0o600)
		if os.Geteuid() == 0 {
			s.RunAsNobody()
		} else {
			mode = 0
		}
		require.NoError(t, os.Chmod(e.Socket, mode))
		refused(t, try(ssh, "vm", e.Socket), host.NoRight)
	})
	t.Run("engine too old", func(t *testing.T) {
		e, _, ssh := machine(t)
		e.API = "1.39"
		refused(t, try(ssh, "vm", ""), host.OldEngine)
	})
	t.Run("engine that breaks down", func(t *testing.T) {
		e, _, ssh := machine(t)
		e.Fail(func(localengine.Request) localengine.Fault { return localengine.Broken })
		err := try(ssh, "vm", "")
		require.ErrorIs(t, err, engine.Failed)
		require.NotEmpty(t, operr.NextOf(err))
	})
	t.Run("another host key", func(t *testing.T) {
		_, s, ssh := machine(t)
		_, other, _ := machine(t)
		edit(t, ssh.Config, s.Addr[strings.LastIndex(s.Addr, ":")+1:], other.Addr[strings.LastIndex(other.Addr, ":")+1:])
		edit(t, filepath.Join(filepath.Dir(ssh.Config), "known_hosts"), s.Addr[strings.LastIndex(s.Addr, ":")+1:], other.Addr[strings.LastIndex(other.Addr, ":")+1:])
		edit(t, ssh.Config, "Host *\n", "Host *\n\tStrictHostKeyChecking no\n")
		refused(t, try(ssh, "vm", ""), host.KeyChanged)
	})
	t.Run("unknown host key", func(t *testing.T) {
		_, _, ssh := machine(t)
		edit(t, ssh.Config, "known_hosts\"", "nobody\"")
		edit(t, ssh.Config, "Host *\n", "Host *\n\tStrictHostKeyChecking accept-new\n")
		refused(t, try(ssh, "vm", ""), host.KeyUnknown)
		require.NoFileExists(t, filepath.Join(filepath.Dir(ssh.Config), "nobody"), "none is taken unseen")
	})
	t.Run("login refused", func(t *testing.T) {
		_, s, ssh := machine(t)
		other := hosttest.Start(t, "")
		config := hosttest.Config(t, map[string]*hosttest.Server{"vm": s, "other": other})
		key, err := os.ReadFile(filepath.Join(filepath.Dir(config), "other"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(config), "vm"), key, 0o600))
		ssh.Config = config
		refused(t, try(ssh, "vm", ""), host.NoLogin)
	})
	t.Run("unknown name", func(t *testing.T) {
		_, _, ssh := machine(t)
		refused(t, try(ssh, "deployer@nobody.invalid:22", ""), host.UnknownName)
	})
	t.Run("bad configuration", func(t *testing.T) {
		_, _, ssh := machine(t)
		edit(t, ssh.Config, "Host *\n", "Host *\n\tNonsense yes\n")
		refused(t, try(ssh, "vm", ""), host.BadConfig)
		ssh.Config += "-nobody"
		refused(t, try(ssh, "vm", ""), host.BadConfig)
	})
	t.Run("no ssh", func(t *testing.T) {
		_, _, ssh := machine(t)
		ssh.Env = command.Setenv(ssh.Env, "PATH=/nowhere")
		refused(t, try(ssh, "vm", ""), host.NoSSH)
	})
	t.Run("somebody who says nothing", func(t *testing.T) {
		_, _, ssh := machine(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		defer stop()
		_, err = ssh.Connect(short, "deployer@"+l.Addr().String(), "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A stale shared connection of the operator is not used, and port forwarding in the operator's configuration does no harm.
func TestTheOperatorsConfiguration(t *testing.T) {
	_, _, ssh := machine(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	stale := filepath.Join(filepath.Dir(ssh.Config), "cm")
	l, err := net.Listen("unix", stale)
	require.NoError(t, err)
	defer l.Close()
	edit(t, ssh.Config, "Host *\n", "Host *\n\tControlMaster auto\n\tControlPersist yes\n\tControlPath "+stale+"\n\tLocalForward "+port+" 127.0.0.1:1\n\tExitOnForwardFailure yes\n\tRemoteCommand false\n\tRequestTTY force\n\tLogLevel QUIET\n")
	h, err := ssh.Connect(t.Context(), "vm", "")
	require.NoError(t, err)
	h.Close()
}

// A jump host is checked like the host: if its key is unknown, it is not used, regardless of the configuration. The path of the configuration may
// contain any characters, also for the ssh process that ssh starts.
func TestAJumpHost(t *testing.T) {
	_, far, _ := machine(t)
	_, near, _ := machine(t)
	_, other, _ := machine(t)
	config := hosttest.Config(t, map[string]*hosttest.Server{"vm": far, "jump": near, "first": other})
	edit(t, config, "Host vm\n", "Host vm\n\tProxyJump first,jump\n")
	edit(t, config, "Host *\n", "Host *\n\tStrictHostKeyChecking no\n")
	odd := filepath.Join(t.TempDir(), "a #b $(touch x) %h", "it's")
	require.NoError(t, os.MkdirAll(filepath.Dir(odd), 0o700))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(odd, text, 0o664)) // a clone's files may have this mode
	h, err := reach(odd).Connect(t.Context(), "vm", "")
	require.NoError(t, err)
	h.Close()

	known := filepath.Join(filepath.Dir(config), "known_hosts")
	was, err := os.ReadFile(known)
	require.NoError(t, err)
	for _, s := range []*hosttest.Server{near, other, far} {
		_, port, err := net.SplitHostPort(s.Addr)
		require.NoError(t, err)
		var kept []string
		for line := range strings.Lines(string(was)) {
			if !strings.Contains(line, ":"+port+" ") {
				kept = append(kept, line)
			}
		}
		require.NoError(t, os.WriteFile(known, []byte(strings.Join(kept, "")), 0o600))
		_, err = reach(odd).Connect(t.Context(), "vm", "")
		refused(t, err, host.KeyUnknown)
		now, err := os.ReadFile(known)
		require.NoError(t, err)
		require.Equal(t, strings.Join(kept, ""), string(now), "none is taken unseen")
	}
	require.NoError(t, os.WriteFile(odd, append([]byte("Host vm\n\tNonsense yes\n"), text...), 0o600))
	_, err = reach(odd).Connect(t.Context(), "vm", "")
	refused(t, err, host.BadConfig)
	require.Contains(t, operr.DetailOf(err), odd+": line 2: ")
}

// asked is an ssh that prints a configuration and does not connect.
type asked struct {
	says   string
	config string // content of the file given with -F
}

func (a *asked) Run(_ context.Context, c command.Cmd) error {
	if slices.Contains(c.Args, "-G") {
		_, err := io.WriteString(c.Stdout, a.says)
		return err
	}
	if n := slices.Index(c.Args, "-F"); n >= 0 {
		text, err := os.ReadFile(c.Args[n+1])
		a.config = string(text)
		return err
	}
	return &command.ExitError{Name: "ssh", Code: 255}
}

// The operator's configuration is used directly, unless it uses a jump host: then a generated one includes it.
func TestOperatorsJumpHost(t *testing.T) {
	for says, jumps := range map[string]bool{"host vm\nport 22\n": false, "host vm\nproxyjump none\n": false, "host vm\nproxyjump op@jump:22\nport 22\n": true, "": false} {
		ssh := reach("")
		runner := &asked{says: says}
		ssh.Runner = runner
		_, err := ssh.Connect(t.Context(), "op@vm", "")
		require.ErrorIs(t, err, host.Unexplained)
		require.Equal(t, jumps, strings.Contains(runner.config, "BatchMode=yes\nStrictHostKeyChecking=yes\n"))
		require.Equal(t, jumps, strings.HasSuffix(runner.config, "\nInclude ~/.ssh/config /etc/ssh/ssh_config\n"))
	}
}

// A socket's path is short wherever temporary files are, and contains no characters that are special in ssh's configuration.
func TestSocketPathIsShort(t *testing.T) {
	_, _, ssh := machine(t)
	for _, name := range []string{strings.Repeat("long", 30), "a %h ${HOME} b"} {
		dir := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		t.Setenv("TMPDIR", dir)
		h, err := ssh.Connect(t.Context(), "vm", "")
		require.NoError(t, err)
		h.Close()
	}
}

func TestHostileHosts(t *testing.T) {
	for _, good := range []string{"vm", "vm-1.example.com", "root@10.0.0.1", "deployer@vm:2222", "a.b_c+d-e@[::1]:22", "[fe80::1]"} {
		_, err := reach(filepath.Join(t.TempDir(), "nobody")).Connect(t.Context(), good, "")
		require.ErrorIs(t, err, host.BadConfig, "ssh was asked for "+good)
	}
	for _, bad := range []string{
		"", "-oProxyCommand=touch /tmp/x", "vm -v", "$HOME", "`id`", "a@-vm", "-a@vm", "vm\n", "vm;id", "a b@vm", "@vm", "vm:", "vm:x", "vm:123456", "[vm]", "a@b@c", "'vm'", "vm/..", "%h", "ssh://vm",
	} {
		_, err := reach("").Connect(t.Context(), bad, "")
		require.Equal(t, operr.Usage, operr.ExitStatus(err), bad)
	}
	for _, bad := range []string{"docker.sock", "/a b", "/$HOME", "/a\nb", "/%h", "-x"} {
		_, err := reach("").Connect(t.Context(), "vm", bad)
		require.Equal(t, operr.Usage, operr.ExitStatus(err), bad)
	}
}

// A login that replaces the operator's is stored in private files while ssh logs in, including to jump hosts, and the files are removed afterwards.
func TestLoginOfAnEnvironment(t *testing.T) {
	e, s, ssh := machine(t)
	dir := filepath.Dir(ssh.Config)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	whole, known := read("vm"), read("known_hosts")
	other := hosttest.Start(t, "")
	config := filepath.Join(dir, "elsewhere")
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	_, otherPort, err := net.SplitHostPort(other.Addr)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, []byte("Host vm other\n\tHostName 127.0.0.1\n\tUser deployer\n\tUserKnownHostsFile /nowhere\nHost vm\n\tPort "+port+"\nHost other\n\tPort "+otherPort+"\n"), 0o600))
	ssh.Config = config
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	files := func() (all []string) {
		require.NoError(t, filepath.WalkDir(temporary, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				all = append(all, filepath.Base(path))
			}
			return err
		}))
		return all
	}
	var during []string
	note := func(c command.Cmd) {
		require.NotContains(t, strings.Join(append(c.Args, c.Env...), " "), strings.Split(whole, "\n")[1])
		during = files()
		for _, name := range during {
			paths, err := filepath.Glob(filepath.Join(temporary, "*", name))
			require.NoError(t, err)
			info, err := os.Stat(paths[0])
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
			info, err = os.Stat(filepath.Dir(paths[0]))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		}
	}
	ssh.Runner = noting{of: ssh.Runner, note: note}

	_, err = ssh.Connect(t.Context(), "vm", "")
	refused(t, err, host.KeyUnknown)
	for name, given := range map[string]string{"as its file has it": whole, "without its last end of a line": strings.TrimSpace(whole), "of Windows": strings.ReplaceAll(whole, "\n", "\r\n")} {
		ssh.Login = host.Login{Key: given, KnownHosts: strings.TrimSpace(known)}
		h, err := ssh.Connect(t.Context(), "vm", "")
		require.NoError(t, err, name)
		require.ElementsMatch(t, []string{"foopack.lock", "config", "theirs", "key", "known_hosts"}, during, name)
		require.ElementsMatch(t, []string{"foopack.lock", "config", "theirs"}, files(), "ssh has logged in: %s", name)
		h.Close()
	}
	s.Forbid(true)
	_, err = ssh.Connect(t.Context(), "vm", e.Socket)
	refused(t, err, host.Forbidden)
	_, err = ssh.Connect(t.Context(), "other", "")
	refused(t, err, host.KeyUnknown)
	for _, bad := range []string{"ssh-ed25519 AAAA a@b", "-----BEGIN OPENSSH PRIVATE KEY-----", "/home/me/.ssh/id"} {
		ssh.Login = host.Login{Key: bad}
		_, err = ssh.Connect(t.Context(), "vm", "")
		require.ErrorContains(t, err, "the value that was given as the private key for ssh is not a private key")
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left)
}

// noting calls note with each command before running it.
type noting struct {
	of   command.Runner
	note func(c command.Cmd)
}

func (n noting) Run(ctx context.Context, c command.Cmd) error {
	n.note(c)
	return n.of.Run(ctx, c)
}

// A configuration in a repository starts no program on this machine, trusts no host that the operator does not trust, and sends none of the
// operator's data: of all ssh options, it may only set those that determine how hosts are reached.
func TestConfigurationInARepositoryRunsNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "site"), 0o755))
	file := filepath.Join(root, "site", "ssh_config")
	carried := func() error {
		named, err := host.Configuration(root, "site", "ssh_config")
		require.Equal(t, file, named)
		return err
	}
	refused := []string{
		"ProxyCommand nc %h %p", " proxycommand=nc %h %p", `"ProxyCommand" nc`, "Match exec \"touch x\"", "Match host a !exec=\"true\"", "match all exec true", "KnownHostsCommand /bin/x",
		"\tPKCS11Provider x.so", "SecurityKeyProvider x.so", "Include ~/other", "XAuthLocation /x", "LocalCommand x",
		"StrictHostKeyChecking no", "stricthostkeychecking=accept-new", "UserKnownHostsFile /dev/null", "GlobalKnownHostsFile ci/known", "\fUserKnownHostsFile x", "\vUserKnownHostsFile x",
		"UserKnownHostsFile=x", "'UserKnownHostsFile' x", "Host a\rUserKnownHostsFile x",
		"User ${HOME}", "User %u", "User -x", "User a;touch x", "Hostname %h.example.org", "HostName -oProxyCommand=x", "HostName a b", "HostName \"a\"", "HostName $(x)", "Port 22x", "Port 123456",
		"ProxyJump a;touch x", "ProxyJump $(touch x)", "ProxyJump a,-oProxyCommand=x", "ProxyJump `x`@a", "ProxyJump a b", "ProxyJump %r@a", "ProxyJump a,", "ProxyJump ssh://a/x", "Host a\\ b", "Host 'a'",
		"Compression maybe", "ConnectTimeout 5m", "AddressFamily", "Host", "IdentityFile=~/.ssh/key", "Match host executor", "Nonsense yes",
	}
	allowed := map[string]bool{}
	for _, keyword := range []string{"AddressFamily", "Compression", "ConnectTimeout", "ConnectionAttempts", "Host", "Hostname", "Port", "ProxyJump", "ServerAliveCountMax", "ServerAliveInterval", "TCPKeepAlive", "User"} {
		allowed[keyword] = true
	}
	const all = "AddKeysToAgent AddressFamily BatchMode BindAddress BindInterface CASignatureAlgorithms CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots CanonicalizePermittedCNAMEs CertificateFile ChannelTimeout CheckHostIP Ciphers ClearAllForwardings Compression ConnectTimeout ConnectionAttempts ControlMaster ControlPath ControlPersist DynamicForward EnableEscapeCommandline EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns GatewayPorts GlobalKnownHostsFile HashKnownHosts Host HostKeyAlgorithms HostKeyAlias HostbasedAcceptedAlgorithms HostbasedAuthentication Hostname IPQoS IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown Include KbdInteractiveAuthentication KbdInteractiveDevices KexAlgorithms KnownHostsCommand LocalCommand LocalForward LogLevel LogVerbose MACs Match NoHostAuthenticationForLocalhost NumberOfPasswordPrompts ObscureKeystrokeTiming PKCS11Provider PasswordAuthentication PermitLocalCommand PermitRemoteOpen Port PreferredAuthentications ProxyCommand ProxyJump ProxyUseFdpass PubkeyAcceptedAlgorithms PubkeyAuthentication RekeyLimit RemoteCommand RemoteForward RequestTTY RequiredRSASize RevokedHostKeys SecurityKeyProvider SendEnv ServerAliveCountMax ServerAliveInterval SessionType SetEnv StdinNull StreamLocalBindMask StreamLocalBindUnlink StrictHostKeyChecking SyslogFacility TCPKeepAlive Tag Tunnel TunnelDevice UpdateHostKeys User UserKnownHostsFile VerifyHostKeyDNS VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation"
	for keyword := range strings.FieldsSeq(all) { // from `man ssh_config`
		if !allowed[keyword] {
			refused = append(refused, keyword+" yes", strings.ToUpper(keyword)+"=1")
		}
	}
	for _, line := range refused {
		require.NoError(t, os.WriteFile(file, []byte("Host a\n"+line+"\n"), 0o600))
		require.ErrorContains(t, carried(), "is in the repository, and such a file must not set this option for ssh", "%q", line)
	}
	const jump = "# ProxyCommand nc\n\nHost a exec *.b.example.org !c,d?\n ProxyJump op@jump.example.org:2222,[2001:db8::1]:22\r\n\tHostName=10.0.0.1\n  user = deploy\n PORT 2222\n" +
		"AddressFamily inet\nCompression yes\nConnectTimeout 10\nConnectionAttempts 2\nServerAliveInterval 5\nServerAliveCountMax 3\nTCPKeepAlive yes\nHost b\nHostName 2001:db8::1\nProxyJump none\n"
	require.NoError(t, os.WriteFile(file, []byte(jump), 0o600))
	require.NoError(t, carried())
	out, err := exec.Command("ssh", "-G", "-F", file, "a").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "proxyjump op@jump.example.org:2222,[2001:db8::1]:22\n")
	require.Contains(t, string(out), "hostname 10.0.0.1\n")
	_, err = host.Configuration(root, ".", "ssh_config")
	require.ErrorContains(t, err, "reading the configuration for ssh: ")

	require.NoError(t, os.WriteFile(file, []byte("ProxyCommand x\n"), 0o600))
	for path, refused := range map[string]bool{"site/ssh_config": true, "../" + filepath.Base(root) + "/site/ssh_config": true, file: true, filepath.Join(root, "..", filepath.Base(root), "site", "ssh_config"): true} {
		_, err := host.Configuration(root, ".", path)
		require.Equal(t, refused, err != nil, path)
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(file, link))
	_, err = host.Configuration(root, ".", link)
	require.Error(t, err, "it leads into the repository")
	theirs := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(theirs, []byte("ProxyCommand x\n"), 0o600))
	_, err = host.Configuration(root, ".", theirs)
	require.NoError(t, err, "what is outside of the repository is the operator's")
}

// `late` is an ssh that creates the socket some time before it listens. With a real ssh, this takes only a moment.
type late struct {
	engine string // the socket that it forwards to
}

func (l late) Run(ctx context.Context, c command.Cmd) error {
	const forward = "-oLocalForward="
	i := slices.IndexFunc(c.Args, func(arg string) bool { return strings.HasPrefix(arg, forward) })
	if i < 0 {
		return errors.New("ssh is asked why, though all is well")
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(c.Args[i], forward), " ")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: local})
	}
	if err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	if err := syscall.Listen(fd, 8); err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), local)
	listener, err := net.FileListener(file)
	if err != nil {
		return err
	}
	_ = file.Close()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	for {
		near, err := listener.Accept()
		if err != nil {
			return ctx.Err()
		}
		far, err := net.Dial("unix", l.engine)
		if err != nil {
			return err
		}
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			go func() {
				_, _ = io.Copy(way[0], way[1])
				_ = way[0].Close()
			}()
		}
	}
}

// The socket is used when ssh listens, not when the file appears.
func TestSocketThatDoesNotListenYet(t *testing.T) {
	e, _, ssh := machine(t)
	ssh.Runner = late{engine: e.Socket}
	h, err := ssh.Connect(t.Context(), "vm", "")
	require.NoError(t, err)
	require.NotEmpty(t, h.Version.API)
	h.Close()
}

// A new connection removes the leftovers of killed runs. A folder in use, a folder of another program, and a folder with a similar name remain.
func TestLeftoversOfKilledRuns(t *testing.T) {
	_, _, ssh := machine(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	victim := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(victim, "foopack.lock"), nil, 0o600))
	require.NoError(t, os.Symlink(victim, filepath.Join(temporary, "deploy-link")))
	for name, mode := range map[string]os.FileMode{"deploy-dead": 0o700, "deploy-open": 0o755, "deploy-used": 0o700, "deploys": 0o700} {
		dir := filepath.Join(temporary, name)
		require.NoError(t, os.Mkdir(dir, mode))
		for _, file := range []string{"foopack.lock", "key"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), nil, 0o600))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(temporary, "deploy-new"), 0o700))
	used, err := filelock.Take(filepath.Join(temporary, "deploy-used", "foopack.lock"))
	require.NoError(t, err)
	defer used.Close()

	h, err := ssh.Connect(t.Context(), "vm", "")
	require.NoError(t, err)
	h.Close()
	left, err := filepath.Glob(filepath.Join(temporary, "deploy*"))
	require.NoError(t, err)
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	require.Equal(t, []string{"deploy-link", "deploy-new", "deploy-open", "deploy-used", "deploys"}, left)
	require.FileExists(t, filepath.Join(victim, "foopack.lock"))
}
