package command

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// credentials are the names of variables that may hold a credential, or lead to one, as path.Match has patterns. What a child that
// runs code of a repository, or of a third party, has no business with. All that have a name of these are also hidden in what children
// print, and taken out of what this process was started with ([Reenter]), but for those that only lead to one (the list ways there).
//
// Who has to have one all the same gets it by a list of names to pass: [Fetching], [Remote], [Docker], those of `[tool.release] pass`, and
// `answering` in package gitrepo. Where a variable names a file, Readable looks for it by the list leadTo.
var credentials = []struct {
	why   string
	names []string
}{
	{"by what they are called", secretNames},
	{
		why: "of a runner: with them an ID token can be asked for, and caches and artifacts written",
		names: []string{
			"ACTIONS_*", "CI_JOB_*", "CI_REGISTRY_*", "CI_DEPLOY_*", "CI_REPOSITORY_URL", "CI_DEPENDENCY_PROXY_*", "SYSTEM_OIDCREQUESTURI",
		},
	},
	{"of docker and of registries", []string{"DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "REGISTRY_AUTH*", "BUILDKIT_HOST_*", "COSIGN_*"}},
	{
		why: "of cloud providers, with what leads to their files and servers",
		names: []string{
			"AWS_*", "GOOGLE_*", "GCLOUD_*", "GCP_*", "CLOUDSDK_*", "AZURE_*", "ARM_*", "MSI_*", "IDENTITY_*", "KUBECONFIG", "VAULT_*", "OP_*",
		},
	},
	{"agents and programs that answer for a person", []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_ASKPASS", "SUDO_ASKPASS", "GPG_AGENT_INFO", "GPG_TTY", "NETRC"}},
	{"of uploaders", []string{"TWINE_*", "UV_PUBLISH_*", "FLIT_PASSWORD", "FLIT_USERNAME", "POETRY_PYPI_TOKEN_*", "POETRY_HTTP_BASIC_*", "HATCH_INDEX_AUTH", "HATCH_INDEX_USER"}},
}

// secretNames are what variables are called whose value is the secret itself.
var secretNames = []string{
	"*TOKEN", "*_TOKEN_*", "*API_KEY", "*APIKEY", "*PASSWORD", "*PASSWD", "*PASSPHRASE", "*SECRET*", "*CREDENTIAL*", "*PRIVATE_KEY*", "*ACCESS_KEY*", "*_PAT", "*AUTH_FILE", "*JWT*",
}

// harmlessNames look like names of credentials, and are not.
var harmlessNames = []string{"AWS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "CI_JOB_ID", "CI_JOB_NAME", "CI_JOB_STAGE", "CI_JOB_URL", "CI_JOB_STATUS", "CI_REGISTRY_IMAGE"}

// ours publish to a channel. No name passes them, in whatever manifest it stands: who may write a manifest could send a package then.
var ours = []string{"PREFIX_API_KEY", "ACTIONS_ID_TOKEN_REQUEST_*"}

// Publishes reports whether a variable is one by which packages are published, which no child ever gets.
func Publishes(name string) bool { return matches(ours, strings.ToUpper(name)) }

// Fetching are the variables by which package managers fetch packages, as names for Withhold to pass: for what installs, and not for
// what runs afterwards.
var Fetching = []string{
	"RATTLER_AUTH_FILE", "NETRC", "UV_INDEX*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
}

// Remote are the variables by which git is let in by a remote, and Docker those by which docker and its helpers are, by a builder and by
// a registry, as names for Withhold to pass. Neither has what publishes to a channel, nor what a runner gives for its own servers.
var (
	Remote = []string{
		"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_*", "NETRC", "GPG_AGENT_INFO", "GPG_TTY",
		"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", // `gh auth git-credential` and its like read them
		"BITBUCKET_TOKEN", "GITEA_TOKEN", "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT",
	}
	Docker = []string{
		"DOCKER_*", "BUILDX_*", "BUILDKIT_*", "REGISTRY_AUTH_FILE", "KUBECONFIG", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "GPG_TTY",
		"AWS_*", "GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*", "AZURE_*", // docker-credential-ecr-login, -gcr, -acr
	}
)

// Fetches reports whether a variable is one of Fetching.
func Fetches(name string) bool { return matches(Fetching, name) }

// FetchedWith are the variables of an environment by which packages are fetched, and that hold a credential.
func FetchedWith(environ []string) []string {
	_, all := Withhold(environ)
	return slices.DeleteFunc(all, func(name string) bool { return !Fetches(name) })
}

// Withhold returns an environment without credentials, and the names of those that were taken out, sorted. A name of pass stays,
// which may be a pattern as of path.Match, unless it is one of those that publish.
// An address that carries a password is a credential too, but for a proxy's: without it there would be no network.
func Withhold(environ []string, pass ...string) (clean, withheld []string) {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if isCredential(name, value) && (Publishes(name) || !matches(pass, name)) {
			withheld = append(withheld, name)
			continue
		}
		clean = append(clean, kv)
	}
	slices.Sort(withheld)
	return clean, slices.Compact(withheld)
}

// Without says which variables code was not given that has failed, and what lets it have one, beside what it is passed already. Where its
// last words name some of them, it is these alone.
func Without(words string, withheld, passed []string) string {
	if named := Named(words, withheld); len(named) > 0 {
		withheld = named
	}
	if len(withheld) == 1 {
		return fmt.Sprintf("It was run without %s. If it needs that: [tool.release] pass = %s", withheld[0], list(append(slices.Clone(passed), withheld[0])))
	}
	return fmt.Sprintf("It was run without %s. If it needs one of them, name that: [tool.release] pass = %s", strings.Join(withheld, ", "), list(append(slices.Clone(passed), "NAME")))
}

// Passing says which variables of an environment code of a repository is given by [tool.release] pass, though they look like credentials: who wrote the
// manifest asked for them, and whose they are has to know. "" where there are none.
func Passing(environ, pass []string) string {
	_, all := Withhold(environ)
	_, kept := Withhold(environ, pass...)
	given := slices.DeleteFunc(all, func(name string) bool { return slices.Contains(kept, name) })
	if len(given) == 0 {
		return ""
	}
	return "tasks, builds and hooks are given " + strings.Join(given, ", ") + " of your environment, as [tool.release] pass asks for"
}

// Named are the names that stand in a text.
func Named(words string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(words, name) })
}

// list is a list as TOML has it.
func list(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Secrets are the values of an environment that are secrets themselves: of variables that are called like one, and passwords in
// addresses, a proxy's too. What only leads to a secret is none, nor is what clouds and runners say besides: that stands in what
// programs print for us to read.
func Secrets(environ []string) (values []string) {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		name = strings.ToUpper(name)
		if matches(secretNames, name) && isCredential(name, value) && !matches(ways, name) {
			values = append(values, value)
		}
		values = append(values, passwords(value)...)
	}
	return values
}

// Secret reports whether a variable is called what secrets are called: its value is then hidden in what people see, and looked for in what is
// published.
func Secret(name string) bool {
	name = strings.ToUpper(name)
	return matches(secretNames, name) && !matches(ways, name) && !slices.Contains(harmlessNames, name)
}

func isCredential(name, value string) bool {
	name = strings.ToUpper(name)
	if value == "" || slices.Contains(harmlessNames, name) {
		return false
	}
	for _, c := range credentials {
		if matches(c.names, name) {
			return true
		}
	}
	return !strings.HasSuffix(name, "_PROXY") && len(passwords(value)) > 0
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, err := path.Match(pattern, name)
		return matched && err == nil
	})
}

// passwords are those of the addresses among the words of a value.
func passwords(value string) (found []string) {
	if !strings.Contains(value, "@") {
		return nil
	}
	for word := range strings.FieldsSeq(value) {
		if _, address, ok := strings.Cut(word, "="); ok && strings.Contains(address, "://") && !strings.Contains(word[:len(word)-len(address)-1], "://") {
			word = address // name=https://…, as uv has indexes
		}
		if u, err := url.Parse(word); err == nil && u.Host != "" && u.User != nil {
			if password, set := u.User.Password(); set && password != "" {
				found = append(found, password)
			}
		}
	}
	return found
}
