package command

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// credentials lists path.Match patterns for the names of variables that may hold a credential, or its location. A child that runs code of the
// repository, or of a third party, gets none of these variables. Their values are also masked in children's output, and removed from this process's
// initial environment ([Reenter]), unless they only hold a location (the list `ways` there).
//
// A child that needs a credential gets it through a list of names to pass: [Fetching], [Remote], [Docker], the names in `[tool.release] pass`, or
// `answering` in package gitrepo. If the value is a path, the variable should also be in `leadTo`, so that Readable finds the file.
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

// secretNames lists patterns for the names of variables that hold the secret itself.
var secretNames = []string{
	"*TOKEN", "*_TOKEN_*", "*API_KEY", "*APIKEY", "*PASSWORD", "*PASSWD", "*PASSPHRASE", "*SECRET*", "*CREDENTIAL*", "*PRIVATE_KEY*", "*ACCESS_KEY*", "*_PAT", "*AUTH_FILE", "*JWT*",
}

// harmlessNames lists variables that match `credentials` but hold none.
var harmlessNames = []string{"AWS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "CI_JOB_ID", "CI_JOB_NAME", "CI_JOB_STAGE", "CI_JOB_URL", "CI_JOB_STATUS", "CI_REGISTRY_IMAGE"}

// ours lists the credentials for publishing to a channel. A manifest cannot pass them. Otherwise anyone who can change a manifest could upload a
// package.
var ours = []string{"PREFIX_API_KEY", "ACTIONS_ID_TOKEN_REQUEST_*"}

// Publishes reports whether a variable holds a credential for publishing packages. No child ever gets that variable.
func Publishes(name string) bool { return matches(ours, strings.ToUpper(name)) }

// Fetching lists the variables that package managers need to fetch packages, as names for Withhold to pass. They are for programs that install
// packages, not for code that runs afterwards.
var Fetching = []string{
	"RATTLER_AUTH_FILE", "NETRC", "UV_INDEX*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
}

// Remote lists the variables that git needs to log in to a remote. Docker lists the variables that docker and its helpers need to log in to a builder
// or a registry. Both are names for Withhold to pass. Neither includes credentials for publishing to a channel, or a CI runner's own tokens.
var (
	Remote = []string{
		"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_*", "NETRC", "GPG_AGENT_INFO", "GPG_TTY",
		"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", // read by helpers such as `gh auth git-credential`
		"BITBUCKET_TOKEN", "GITEA_TOKEN", "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT",
	}
	Docker = []string{
		"DOCKER_*", "BUILDX_*", "BUILDKIT_*", "REGISTRY_AUTH_FILE", "KUBECONFIG", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "GPG_TTY",
		"AWS_*", "GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*", "AZURE_*", // read by docker-credential-ecr-login, -gcr and -acr
	}
)

// Fetches reports whether a variable is one of Fetching.
func Fetches(name string) bool { return matches(Fetching, name) }

// FetchCredentials returns the variables of an environment that hold a credential for fetching packages.
func FetchCredentials(environ []string) []string {
	_, all := Withhold(environ)
	return slices.DeleteFunc(all, func(name string) bool { return !Fetches(name) })
}

// Withhold returns an environment without credentials, and the sorted names of the removed variables. It keeps variables that match a path.Match
// pattern in pass, unless they are for publishing. A URL with a password is also a credential, except a proxy's URL, without which there would be no
// network.
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

// DescribeWithheld returns a hint for code that failed: the variables that were withheld, and the setting that passes them. If the code's last output
// mentions some of these variables, the hint names only these.
func DescribeWithheld(words string, withheld, passed []string) string {
	if named := FindNames(words, withheld); len(named) > 0 {
		withheld = named
	}
	if len(withheld) == 1 {
		return fmt.Sprintf("The command ran without the variable %s. If it needs this variable, set [tool.release] pass = %s", withheld[0], list(append(slices.Clone(passed), withheld[0])))
	}
	return fmt.Sprintf("The command ran without the variables %s. If it needs one of these variables, name it in [tool.release] pass = %s", strings.Join(withheld, ", "), list(append(slices.Clone(passed), "NAME")))
}

// Passing returns a warning that names the variables that [tool.release] pass gives to the repository's code although they look like credentials. The
// manifest's author chose them, and the user who owns them should know. It returns "" if there are none.
func Passing(environ, pass []string) string {
	_, all := Withhold(environ)
	_, kept := Withhold(environ, pass...)
	given := slices.DeleteFunc(all, func(name string) bool { return slices.Contains(kept, name) })
	if len(given) == 0 {
		return ""
	}
	return "tasks, builds and hooks get " + strings.Join(given, ", ") + " from your environment, because [tool.release] pass names them"
}

// FindNames returns the names that occur in a text.
func FindNames(words string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(words, name) })
}

// list formats a TOML list.
func list(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Secrets returns the secrets in an environment: the values of variables whose names match secretNames, and the passwords in URLs, even in a proxy's.
// Locations of secrets, and other settings of clouds and CI runners, are not included, because users need to see them in the output.
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

// Secret reports whether a variable has the name of a secret. Such a value is masked in output, and published files are searched for it.
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

// matches reports whether a name matches one of the patterns. Each start of a child checks every variable against ninety patterns, so the common
// patterns, with a star only at their ends, do not use path.Match. Unlike in path.Match, such a star also matches slashes, because a name with a
// slash may be a credential as well.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		end, anyStart := strings.CutPrefix(pattern, "*")
		middle, anyEnd := strings.CutSuffix(end, "*")
		switch {
		case strings.ContainsAny(middle, `*?[\`):
			matched, err := path.Match(pattern, name)
			return matched && err == nil
		case anyStart && anyEnd:
			return strings.Contains(name, middle)
		case anyStart:
			return strings.HasSuffix(name, middle)
		case anyEnd:
			return strings.HasPrefix(name, middle)
		}
		return name == pattern
	})
}

// passwords returns the passwords in the URLs in a value.
func passwords(value string) (found []string) {
	if !strings.Contains(value, "@") {
		return nil
	}
	for word := range strings.FieldsSeq(value) {
		if _, address, ok := strings.Cut(word, "="); ok && strings.Contains(address, "://") && !strings.Contains(word[:len(word)-len(address)-1], "://") {
			word = address // name=https://…, as uv writes indexes
		}
		if u, err := url.Parse(word); err == nil && u.Host != "" && u.User != nil {
			if password, set := u.User.Password(); set && password != "" {
				found = append(found, password)
			}
		}
	}
	return found
}
