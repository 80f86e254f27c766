package image

import "strings"

// Source is the address of a repository that people can open, made of its git remote: without credentials, and https for
// ssh; "" for a folder.
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
		authority, _, _ = strings.Cut(authority, ":") // ssh's port is not that of https
	}
	return "https://" + authority + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}
