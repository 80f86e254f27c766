package host

import "regexp"

// sentences maps messages of OpenSSH's client to causes, because its exit status is 255 for all failures. The first match is used. If none matches,
// the cause is Unexplained, and the user sees ssh's message. Tests verify the messages with the installed client.
var sentences = []struct {
	says  *regexp.Regexp
	cause Cause
}{
	{regexp.MustCompile(`REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY DETECTED`), KeyChanged},
	{regexp.MustCompile(`No \S+ host key is known for|Host key verification failed`), KeyUnknown},
	{regexp.MustCompile(`Permission denied \(|Too many authentication failures|Permission denied, please try again`), NoLogin},
	{regexp.MustCompile(`Could not resolve hostname`), UnknownName},
	{regexp.MustCompile(`Connection refused`), Refused},
	{regexp.MustCompile(`No route to host|Network is unreachable|Host is down`), NoRoute},
	{regexp.MustCompile(`timed out|Timeout, server .* not responding`), NoAnswer},
	{regexp.MustCompile(`Can't open user config file|[Bb]ad configuration option|bad configuration options|keyword .* extra arguments|Bad owner or permissions on`), BadConfig},
}

func causeOf(said string) Cause {
	for _, s := range sentences {
		if s.says.MatchString(said) {
			return s.cause
		}
	}
	return Unexplained
}
