package command

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// keptIn lists files below the home directory that may contain credentials. If `with` is set, a file contains a credential only if `with` matches its
// text.
var keptIn = []struct {
	file string
	with *regexp.Regexp
}{
	{".netrc", nil},
	{".git-credentials", nil},
	{".config/git/credentials", nil},
	{".pypirc", nil},
	{".config/uv/credentials", nil},
	{".config/pypoetry/auth.toml", nil},
	{".npmrc", regexp.MustCompile(`_auth|_password`)},
	{".cargo/credentials.toml", nil},
	{".gem/credentials", nil},
	{".rattler/credentials.json", nil},
	{".config/gh/hosts.yml", nil},
	{".config/glab-cli/config.yml", nil},
	{".config/hub", nil},
	{".docker/config.json", dockers},
	{".config/containers/auth.json", dockers},
	{".kube/config", nil},
	{".aws/credentials", nil},
	{".aws/config", regexp.MustCompile(`aws_secret_access_key|credential_process`)},
	{".config/gcloud/application_default_credentials.json", nil},
	{".config/gcloud/credentials.db", nil},
	{".azure/msal_token_cache.json", nil},
	{".azure/accessTokens.json", nil},
	{".vault-token", nil},
	{".terraform.d/credentials.tfrc.json", nil},
}

// dockers matches a docker configuration after a login, or with a credential helper.
var dockers = regexp.MustCompile(`"(auth|identitytoken|registrytoken|credsStore|credHelpers)"\s*:`)

// leadTo lists variables whose value is the path of a file with credentials, or of its folder.
var leadTo = []struct{ variable, file string }{
	{"RATTLER_AUTH_FILE", ""},
	{"NETRC", ""},
	{"KUBECONFIG", ""},
	{"GOOGLE_APPLICATION_CREDENTIALS", ""},
	{"AWS_SHARED_CREDENTIALS_FILE", ""},
	{"DOCKER_CONFIG", "config.json"},
	{"REGISTRY_AUTH_FILE", ""},
	{"CLOUDSDK_CONFIG", "credentials.db"},
	{"GH_CONFIG_DIR", "hosts.yml"},
}

// Readable lists the credentials that the repository's code could read although they are not in its environment: files in the home directory, keys
// without a passphrase, agents, and the initial environments of up to four ancestors of this process. It returns only names, never contents.
func Readable(home string, environ []string) (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, k := range keptIn {
		if file := filepath.Join(home, k.file); home != "" && holds(file, k.with) {
			add("~/" + k.file)
		}
	}
	for _, l := range leadTo {
		value, _ := Getenv(environ, l.variable)
		if file := filepath.Join(value, l.file); value != "" && holds(file, nil) && !slices.Contains(names, "~/"+strings.TrimPrefix(file, home+"/")) {
			add("the file of " + l.variable)
		}
	}
	if home != "" {
		keys, _ := filepath.Glob(filepath.Join(home, ".ssh", "*"))
		for _, key := range keys {
			if open(key) {
				add("~/.ssh/" + filepath.Base(key) + " (without a passphrase)")
			}
		}
	}
	for _, agent := range agents(home, environ) {
		add(agent)
	}
	for _, above := range inheritedCredentials(os.Getppid()) {
		add(above)
	}
	return names
}

// `holds` reports whether a file is readable and not empty, and matches `with`, if `with` is not nil.
func holds(file string, with *regexp.Regexp) bool {
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		return false
	}
	text, err := head(file)
	return err == nil && (with == nil || with.Match(text))
}

// head returns the first bytes of a file.
func head(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// `open` reports whether a file is an ssh private key without a passphrase.
func open(file string) bool {
	if st, err := os.Stat(file); err != nil || !st.Mode().IsRegular() {
		return false
	}
	text, err := head(file)
	begin := bytes.Index(text, []byte("PRIVATE KEY-----\n"))
	if err != nil || begin < 0 {
		return false
	}
	if !bytes.Contains(text, []byte("BEGIN OPENSSH PRIVATE KEY")) {
		return !bytes.Contains(text, []byte("ENCRYPTED"))
	}
	body, _, _ := bytes.Cut(text[begin+len("PRIVATE KEY-----\n"):], []byte("-----"))
	data, _ := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\n"), nil), []byte("\r"), nil)))
	return bytes.HasPrefix(data, []byte("openssh-key-v1\x00\x00\x00\x00\x04none")) // the name of the cipher
}

// agents returns the running agents that could log in as the user.
func agents(home string, environ []string) (names []string) {
	isSocket := func(file string) bool {
		st, err := os.Stat(file)
		return err == nil && st.Mode()&os.ModeSocket != 0
	}
	if socket, _ := Getenv(environ, "SSH_AUTH_SOCK"); isSocket(socket) {
		names = append(names, "the agent of SSH_AUTH_SOCK")
	}
	folders := []string{fmt.Sprintf("/run/user/%d/gnupg", os.Getuid())}
	if own, _ := Getenv(environ, "GNUPGHOME"); own != "" {
		folders = append(folders, own)
	} else if home != "" {
		folders = append(folders, filepath.Join(home, ".gnupg"))
	}
	for _, dir := range folders {
		if isSocket(filepath.Join(dir, "S.gpg-agent")) {
			return append(names, "gpg's agent")
		}
	}
	return names
}

// `inheritedCredentials` returns the credentials in the initial environments of our ancestors, such as mage's wrappers: the names of variables, and
// the programs that have them.
func inheritedCredentials(pid int) (names []string) {
	programs := map[string][]string{} // by the names of their variables
	var all []string
	for range 4 {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		environ, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || pid <= 1 {
			break
		}
		var secrets []string
		for kv := range strings.SplitSeq(string(environ), "\x00") {
			if name, value, _ := strings.Cut(kv, "="); isCredential(name, value) && !matches(ways, name) && !slices.Contains(secrets, name) {
				secrets = append(secrets, name)
			}
		}
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		slices.Sort(secrets)
		if has, program := strings.Join(secrets, ", "), strings.TrimSpace(string(comm)); has != "" && !slices.Contains(programs[has], program) {
			if programs[has] == nil {
				all = append(all, has)
			}
			programs[has] = append(programs[has], program)
		}
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 {
			break
		}
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			break
		}
	}
	for _, has := range all {
		names = append(names, has+" in the environment of "+strings.Join(programs[has], " and ")+", which started this process")
	}
	return names
}
