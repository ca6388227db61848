"""A certified OpenID provider dressed as ID-porten and Ansattporten, for tests and the demo only."""
