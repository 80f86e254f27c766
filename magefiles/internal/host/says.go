package host

import "regexp"

// sentences are what OpenSSH's client says: its exit status is 255 whatever happened. The first that is found counts. What is not here is
// Unexplained, and a person reads what ssh says. Held by tests against the client of this machine.
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
