require('https').get('https://files.example.invalid/data.json', (r) => r.resume());
