package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

func parsed(t *testing.T, text string) ([]Environment, error) {
	doc, err := tomledit.Parse("app/pixi.toml", []byte(text))
	require.NoError(t, err)
	return parse(doc)
}

// A release is deployed to the canary first, and then to one batch at a time.
func TestGroups(t *testing.T) {
	const three, ten = `"a", "b", "c"`, `"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"`
	for _, c := range []struct{ hosts, says, want string }{
		{three, ``, "abc"},
		{three, `canary = 1`, "a bc"},
		{three, `batch = 1`, "a b c"},
		{three, `batch = 7`, "abc"},
		{three, `canary = 3`, "abc"},
		{three, `batch = "1%"`, "a b c"},
		{three, `batch = "34%"`, "ab c"},
		{three, `batch = "100%"`, "abc"},
		{ten, "canary = 2\nbatch = \"25%\"\npause = \"5m\"", "ab cde fgh ij"},
		{ten, "canary = 1\nbatch = 4", "a bcde fghi j"},
	} {
		all, err := parsed(t, "[tool.deploy.x]\nport = 80\nhosts = ["+c.hosts+"]\n"+c.says)
		require.NoError(t, err, c.says)
		var got []string
		for _, group := range all[0].Groups(all[0].Hosts) {
			got = append(got, strings.Join(group, ""))
		}
		require.Equal(t, c.want, strings.Join(got, " "), c.says)
	}
}

// A file's environments must not conflict.
func TestEnvironmentsTogether(t *testing.T) {
	const a, b = "[tool.deploy.a]\nhosts = [\"x\"]\nport = 80\n", "[tool.deploy.b]\nhosts = [\"y\"]\nport = 80\n"
	for _, c := range []struct{ text, want string }{
		{a + b + "after = \"a\"", ""},
		{a + "after = \"b\"\n" + b + "after = \"a\"", "the environments a, b, a wait for one another"},
		{a + "after = \"a\"\n" + b, "the environments a, a wait for one another"},
		{a + b + "after = \"c\"", `[tool.deploy.b] has after = "c", but there is no environment with this name`},
		{a + strings.Replace(b, `"y"`, `"y", "x"`, 1), "host x is in environments a and b with the same port 80"},
		{a + "domain = \"a.example.org\"\n" + strings.Replace(b, `"y"`, `"x"`, 1) + "domain = \"b.example.org\"", ""},
		{a + "domain = \"a.example.org\"\n" + strings.Replace(b, `"y"`, `"x"`, 1), "host x is in environments a and b"},
		{a + "canary = 2", "canary is 2, but the environment has only 1 hosts"},
		{a + "canary = 0", "canary cannot be 0"},
		{a + "batch = 0", "batch cannot be 0"},
		{a + "batch = \"200%\"", `batch cannot be "200%"`},
		{a + "batch = \"0%\"", `batch cannot be "0%"`},
		{a + "batch = \"half\"", `batch cannot be "half"`},
		{a + "pause = \"5m\"", "pause has no effect, because all hosts get a release at the same time"},
		{a + "by = \"nobody\"", `by cannot be "nobody"`},
		{a + "after = \"A\"", `after cannot be "A"`},
	} {
		_, err := parsed(t, c.text)
		if c.want == "" {
			require.NoError(t, err, c.text)
			continue
		}
		require.ErrorContains(t, err, c.want)
		require.NotEmpty(t, operr.NextOf(err), c.text)
	}
}

// Hosts and a port are sufficient.
func TestTwoHostsAndAPortAreEnough(t *testing.T) {
	all, err := parsed(t, "[tool.deploy.staging]\nhosts = [\"deploy@a.example.org\", \"b:2222\"]\nport = 8080\n")
	require.NoError(t, err)
	require.Len(t, all, 1)
	e := all[0]
	require.Equal(t, "staging", e.Name)
	require.Equal(t, []string{"deploy@a.example.org", "b:2222"}, e.Hosts)
	require.Equal(t, "/healthz", e.Health)
	require.Equal(t, Logging{Driver: "local", Options: map[string]string{"max-file": "5", "max-size": "20m"}}, e.Logging)
	require.Equal(t, time.Minute, e.Gate)
	data, err := json.Marshal(e)
	require.NoError(t, err)
	var again Environment
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, e, again)
}

func TestEveryKey(t *testing.T) {
	all, err := parsed(t, `
[tool.deploy.production]
hosts = ["[::1]:22"]
port = 443
app_port = 5006
domain = "app.example.org"
tls = true
health = "/up?full=1"
revision = "header:X-Revision"
gate = "2m"
watch = "1m"
drain = "5m"
stop_grace_period = "45s"
keep = 5
disk = "2GB"
environment = ["LANG"]
secrets_on = "memory"
volumes = ["data:/data", "pages:/pages:ro"]
mem_limit = "512m"
user = "1000:1000"
command = ["serve", "--name", "a b$c"]
logging = { driver = "journald", options = { tag = "x" } }
start = "stop-first"
proxy = "caddy:2.11"
socket = "/run/user/1000/docker.sock"
ssh_config = "ci/ssh_config"

[tool.deploy.production.secrets]
KEY = ["pass", "show", "a key"]
OTHER = "MY_OTHER"
`)
	require.NoError(t, err)
	require.Equal(t, Environment{
		Name:        "production",
		Hosts:       []string{"[::1]:22"},
		Port:        443,
		AppPort:     5006,
		Domain:      "app.example.org",
		TLS:         true,
		Health:      "/up?full=1",
		Revision:    Revision{Header: "X-Revision"},
		Gate:        2 * time.Minute,
		Watch:       time.Minute,
		Drain:       5 * time.Minute,
		Grace:       45 * time.Second,
		Keep:        5,
		Disk:        2 << 30,
		Environment: []string{"LANG"},
		Secrets:     []Secret{{Name: "KEY", Command: []string{"pass", "show", "a key"}}, {Name: "OTHER", Variable: "MY_OTHER"}},
		Memory:      true,
		Volumes:     []Volume{{Name: "data", Target: "/data"}, {Name: "pages", Target: "/pages", ReadOnly: true}},
		MemLimit:    512 << 20,
		User:        "1000:1000",
		Command:     []string{"serve", "--name", "a b$c"},
		Logging:     Logging{Driver: "journald", Options: map[string]string{"tag": "x"}},
		StopFirst:   true,
		Proxy:       "caddy:2.11",
		Socket:      "/run/user/1000/docker.sock",
		SSHConfig:   "ci/ssh_config",
	}, all[0])
	none, err := parsed(t, "[tool.deploy.a]\nhosts=[\"a\"]\nport=1\nrevision=false\nsecrets=[\"A_KEY\"]\n")
	require.NoError(t, err)
	require.True(t, none[0].Revision.None())
	require.Equal(t, []Secret{{Name: "A_KEY", Variable: "A_KEY"}}, none[0].Secrets)
}

// Hosts, names and values that a program would interpret differently are rejected, and the error contains their position.
func TestWhatIsRefused(t *testing.T) {
	const good = "[tool.deploy.a]\nhosts = [\"a\"]\nport = 1\n"
	for text, want := range map[string]string{
		"[tool.deploy]\na = 1\n":                                          "a must be a table, but is an integer",
		"[tool.deploy.\"a b\"]\nhosts=[\"a\"]\nport=1\n":                  `"a b" is not a valid name of an environment`,
		"[tool.deploy.a]\nport = 1\n":                                     "has no hosts",
		"[tool.deploy.a]\nhosts = [\"a\"]\n":                              "has no port",
		"[tool.deploy.a]\nport=1\nhosts = [\"-oProxy=x\"]\n":              `cannot be "-oProxy=x"`,
		"[tool.deploy.a]\nport=1\nhosts = [\"a b\"]\n":                    `cannot be "a b"`,
		"[tool.deploy.a]\nport=1\nhosts = [\"$HOME\"]\n":                  `cannot be "$HOME"`,
		"[tool.deploy.a]\nport=1\nhosts = [\"a\\nb\"]\n":                  `cannot be "a\nb"`,
		"[tool.deploy.a]\nport=1\nhosts = [\"a'b\"]\n":                    `cannot be "a'b"`,
		"[tool.deploy.a]\nport=1\nhosts = [\"a\", \"a\"]\n":               "the host a is listed twice",
		"[tool.deploy.a]\nport=70000\nhosts = [\"a\"]\n":                  "port cannot be 70000",
		good + "gait = \"1m\"\n":                                          "[tool.deploy.a] has no key gait",
		good + "tls = true\n":                                             "tls needs a domain",
		good + "gate = \"soon\"\n":                                        `gate cannot be "soon"`,
		good + "health = \"healthz\"\n":                                   `health cannot be "healthz"`,
		good + "revision = true\n":                                        "revision cannot be true",
		good + "revision = \"git\"\n":                                     `revision cannot be "git"`,
		good + "mem_limit = \"much\"\n":                                   `mem_limit cannot be "much"`,
		good + "volumes = [\"/srv:/srv\"]\n":                              `volumes cannot have "/srv:/srv"`,
		good + "volumes = [\"data:/data\"]\n":                             "would write to the volume data at the same time",
		good + "volumes = [\"pixi-release-proxy-443-data:/keys:ro\"]\n":   "are for the volumes of the proxy",
		good + "secrets = { \"../x\" = \"X\" }\n":                         `"../x" is not a valid name of a secret`,
		good + "secrets = { X = [] }\n":                                   "the secret X has an empty command",
		good + "environment = [\"A=1\"]\n":                                `cannot be "A=1"`,
		good + "start = \"beside-it\"\n":                                  `start cannot be "beside-it"`,
		good + "logging = { drive = \"x\" }\n":                            "logging has no key drive",
		good + "environment = [\"PREFIX_API_KEY\"]\n":                     `a host cannot get the variable "PREFIX_API_KEY", because its key allows publishing packages`,
		good + "secrets = [\"PREFIX_API_KEY\"]\n":                         `a host cannot get the variable "PREFIX_API_KEY"`,
		good + "secrets = { KEY = \"ACTIONS_ID_TOKEN_REQUEST_TOKEN\" }\n": `a host cannot get the variable "ACTIONS_ID_TOKEN_REQUEST_TOKEN"`,
		good + "secrets = { KEY = \"ghp_abcdefgh\" }\n":                   "must be a name, but its value looks like a key",
		good + "secrets = [\"_KEY\"]\n":                                   `"_KEY" is not a valid name of a secret`,
		good + "secrets = [\"KEY\", \"KEY\"]\n":                           `"KEY" is not a valid name of a secret`,
		good + "secrets = { " + strings.Repeat("A", 64) + " = \"A\" }\n":  " is not a valid name of a secret",
		good + "disk = \"999999999t\"\n":                                  `disk cannot be "999999999t"`,
		good + "keep = 1\n":                                               "keep cannot be 1",
		good + "proxy = \"--privileged\"\n":                               `proxy cannot be "--privileged"`,
	} {
		_, err := parsed(t, text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "app/pixi.toml:", text)
	}
	_, err := parsed(t, good+"gait = \"1m\"\n")
	require.Contains(t, operr.NextOf(err), "did you mean gate?")
}

// The ssh configuration may be in a folder with any printable name. Non-printable characters are rejected.
func TestAPathOfAFile(t *testing.T) {
	for path, good := range map[string]bool{"ci/ssh_config": true, "a #b/c (d)/é%h": true, "$(touch x)": true, "/home/op/it's/config": true, "a\u202eb": false, "a\nb": false, "": false} {
		all, err := parsed(t, "[tool.deploy.a]\nhosts = [\"a\"]\nport = 1\nssh_config = "+strconv.QuoteToASCII(path)+"\n")
		require.Equal(t, good, err == nil, "%q: %v", path, err)
		if good {
			require.Equal(t, path, all[0].SSHConfig)
		}
	}
}

// A name that is passed to ssh, a shell, a URL or the engine cannot contain blanks, quotes, dollars or newlines, or start with a dash. Text for the
// application itself is not restricted.
func TestOddNamesAndValues(t *testing.T) {
	const good = "[tool.deploy.a]\nhosts = [\"a\"]\nport = 1\n"
	for _, odd := range []string{"a b", "a\"b", "a'b", "a$b", "a\nb", "-a", "a;b", "a`b", "a\\b", "a\x1bb", "a\u202eb"} {
		text := strconv.QuoteToASCII(odd)
		text = strings.ReplaceAll(text, `\x1b`, `\u001b`)
		for _, keys := range []string{
			"domain = %s\n", "health = %s\n", "user = %s\n", "proxy = %s\n", "socket = %s\n", "environment = [%s]\n", "secrets = [%s]\n", "secrets = { %s = \"X\" }\n",
			"secrets = { X = %s }\n", "logging = { driver = %s }\n", "start = %s\n", "gate = %s\n", "mem_limit = %s\n", "revision = %s\n", "%s = 1\n",
		} {
			_, err := parsed(t, good+fmt.Sprintf(keys, text))
			require.Error(t, err, "%s %q", keys, odd)
		}
		for _, volume := range []string{odd + ":/data:ro", "data:/" + odd + ":ro", "data:/data:" + odd} {
			quoted := strings.ReplaceAll(strconv.QuoteToASCII(volume), `\x1b`, `\u001b`)
			_, err := parsed(t, good+"volumes = ["+quoted+"]\n")
			if volume == "data:/-a:ro" {
				require.NoError(t, err, "a path begins with its slash")
				continue
			}
			require.Error(t, err, "%q", volume)
		}
		for _, table := range []string{"[tool.deploy.%s]\nhosts=[\"a\"]\nport=1\n", "[tool.deploy.a]\nhosts=[%s]\nport=1\n"} {
			_, err := parsed(t, fmt.Sprintf(table, text))
			require.Error(t, err, "%s %q", table, odd)
		}
		all, err := parsed(t, good+fmt.Sprintf("command = [\"serve\", %s]\nlogging = { driver = \"local\", options = { tag = %s } }\n", text, text))
		require.NoError(t, err, "%q", odd)
		require.Equal(t, odd, all[0].Command[1])
		require.Equal(t, odd, all[0].Logging.Options["tag"])
	}
}

func TestPick(t *testing.T) {
	all := []Environment{{Name: "staging"}, {Name: "production"}}
	e, err := Pick(all, "production")
	require.NoError(t, err)
	require.Equal(t, "production", e.Name)
	e, err = Pick(all[:1], "")
	require.NoError(t, err)
	require.Equal(t, "staging", e.Name)
	_, err = Pick(all, "")
	require.ErrorContains(t, err, "several deployment environments")
	_, err = Pick(all, "stagin")
	require.Contains(t, operr.NextOf(err), "did you mean staging?")
	_, err = Pick(nil, "")
	require.ErrorContains(t, err, "no deployment environment")
}

// An environment whose table is gone is found by -like, and never by mistake.
func TestEnvironmentWithoutATable(t *testing.T) {
	all := []Environment{{Name: "staging", Hosts: []string{"a"}, Port: 80, Volumes: []Volume{{Name: "data"}}}, {Name: "production", Hosts: []string{"b"}, Port: 443}}
	e, err := PickLike(all, "staging", "")
	require.NoError(t, err)
	require.Equal(t, all[0], e)
	e, err = PickLike(all, "old", "production")
	require.NoError(t, err)
	require.Equal(t, Environment{Name: "old", Hosts: []string{"b"}, Port: 443}, e)
	for want, names := range map[string][2]string{
		`no deployment environment "old"`:             {"old", ""},
		`no deployment environment "nobody"`:          {"old", "nobody"},
		"still has its own table":                     {"staging", "production"},
		`"Old" is not a valid name of an environment`: {"Old", "staging"},
		`"-x" is not a valid name of an environment`:  {"-x", "staging"},
		`"a b" is not a valid name of an environment`: {"a b", "staging"},
	} {
		_, err := PickLike(all, names[0], names[1])
		require.ErrorContains(t, err, want)
	}
}
