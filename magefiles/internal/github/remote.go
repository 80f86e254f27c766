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

// RepositoryOf reads the address of a git remote: an https, http, ssh or git URL, or scp's form (git@host:owner/name.git).
// It returns the repository as "owner/name" and the host without its port: "github.com", or that of an enterprise
// server. Not ok are files, and paths of more or less than two parts. Whether the host is GitHub it cannot know.
func RepositoryOf(remoteURL string) (repository, host string, ok bool) {
	host, name := HostOf(remoteURL)
	if host == "" || path.Clean("/"+name) != "/"+name || !repositoryName.MatchString(name) {
		return "", "", false
	}
	return name, host, true
}

// HostOf is the host of the same addresses, and the path there, of however many parts and without ".git"; "" for files.
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
	if host == "ssh.github.com" { // its second door, on port 443
		host = "github.com"
	}
	return host, name
}

// AssetName is the name that GitHub gives to a file that is attached to a release: letters, digits and "_", "+", "@", "-"
// stay, anything else becomes one dot, and dots at either end go. The documentation only says that it renames
// (https://docs.github.com/en/rest/releases/assets#upload-a-release-asset); the rule is the one that the gh command goes
// by. An epoch's "!" is the one character of conda's file names that does not stay.
func AssetName(file string) string {
	name := unkept.ReplaceAllString(file, ".")
	if strings.HasPrefix(file, ".") {
		name = "default" + name
	}
	return strings.Trim(name, ".")
}
