# ram
