require('dns').lookup('corp.example.invalid', () => {});
