package image

import "strings"

// Source converts the repository's git remote to a URL that a browser can open, without credentials and with https instead of ssh. It returns ""
// for a local path.
func Source(remote string) string {
	rest := remote
	if _, after, ok := strings.Cut(remote, "://"); ok {
		rest = after
	} else if before, after, ok := strings.Cut(remote, ":"); ok && !strings.Contains(before, "/") {
		rest = before + "/" + after
	} else {
		return ""
	}
	if strings.HasPrefix(remote, "file:") {
		return ""
	}
	authority, path, ok := strings.Cut(rest, "/")
	if !ok || path == "" {
		return ""
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if strings.HasPrefix(remote, "ssh:") {
		authority, _, _ = strings.Cut(authority, ":") // the port is for ssh, not https
	}
	return "https://" + authority + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}
