package github

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	scpLike = regexp.MustCompile(`^(?:[^@/\s]+@)?([A-Za-z0-9.-]+):([^\s]+)$`)
	unkept  = regexp.MustCompile(`[^A-Za-z0-9_+@-]+`)
)

// RepositoryOf parses the URL of a git remote: https, http, ssh, git, or scp-like (git@host:owner/name.git). It returns "owner/name" and the host
// without its port, which is "github.com" or an enterprise server. ok is false for local paths, and for URL paths that do not have exactly two
// parts. RepositoryOf cannot know whether the host runs GitHub.
func RepositoryOf(remoteURL string) (repository, host string, ok bool) {
	host, name := HostOf(remoteURL)
	if host == "" || path.Clean("/"+name) != "/"+name || !repositoryName.MatchString(name) {
		return "", "", false
	}
	return name, host, true
}

// HostOf returns the host of such a URL, and its path, with any number of parts and without ".git"; "" for local paths.
func HostOf(remoteURL string) (host, name string) {
	if u, err := url.Parse(remoteURL); err == nil && u.Host != "" {
		switch u.Scheme {
		case "https", "http", "ssh", "git", "git+ssh":
			host, name = u.Hostname(), u.Path
		}
	} else if m := scpLike.FindStringSubmatch(remoteURL); m != nil && !strings.Contains(remoteURL, "://") {
		host, name = m[1], m[2]
	}
	name = strings.TrimSuffix(strings.Trim(name, "/"), ".git")
	host = strings.ToLower(host)
	if host == "ssh.github.com" { // GitHub's alternative ssh host, on port 443
		host = "github.com"
	}
	return host, name
}

// AssetName returns the name that GitHub gives to an attached file: letters, digits and "_", "+", "@", "-" are kept, runs of other characters become
// one dot, and leading and trailing dots are removed. GitHub only documents that it renames files
// (https://docs.github.com/en/rest/releases/assets#upload-a-release-asset); the gh command implements this rule. In conda file names, it only
// changes the "!" of an epoch.
func AssetName(file string) string {
	name := unkept.ReplaceAllString(file, ".")
	if strings.HasPrefix(file, ".") {
		name = "default" + name
	}
	return strings.Trim(name, ".")
}
