package command

// CredentialNames returns the patterns by which credentials are recognized.
func CredentialNames() (all []string) {
	for _, c := range credentials {
		all = append(all, c.names...)
	}
	return all
}

// These variables show internals to tests.
var (
	HarmlessNames = harmlessNames
	Ways          = ways
	Above         = inheritedCredentials
)
